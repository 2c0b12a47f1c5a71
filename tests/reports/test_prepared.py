"""reports/prepared: well-formed HTML that loads nothing, with what rows hold escaped."""

from __future__ import annotations

from instructune.preparing.agreement import Agreement
from instructune.preparing.profile import Profile
from instructune.records import Record
from instructune.reports.prepared import prepared
from tests.wellformed import elements


def test_what_rows_hold_is_escaped():
    profile = Profile()
    evil = "<script>alert(1)</script>"
    profile.see(Record({"id": "1", "text": "t", "label": evil, "task": evil}))
    counts = {"rows_in": 2, "out": 1, "dropped": {evil: 1}, "notes": {evil: 2}}
    page = prepared(counts, profile.facts())
    elements(page)
    assert b"<script>" not in page
    assert page.count(b"&lt;script&gt;") >= 4


def test_where_each_row_went():
    counts = {"rows_in": 5, "added": {"x": 1}, "rejected": {"y": 2}, "dropped": {"z": 1}, "out": 3}
    page = prepared(counts, Profile().facts()).decode()
    for name in ("rows in", "added: x", "rejected: y", "dropped: z", "out"):
        assert f">{name}</text>" in page


def test_clusters_and_annotators():
    evil = "<script>"
    annotated = Agreement()
    annotated.see(Record(id=evil, text="t", annotations={evil: evil, "bob": "y"}))
    cluster = {"kept": evil, "rows": 3, "dropped": ["b1", "b2"], "jaccard": 0.85}
    clusters = {"clusters": 1, "rows": 3, "sizes": {"3": 1}, "largest": [cluster]}
    counts = {"rows_in": 3, "out": 3}
    more = {"agreement": annotated.facts(), "duplicate_clusters": clusters}
    page = prepared(counts | more, Profile().facts())
    elements(page)
    text = page.decode()
    assert "<script>" not in text
    assert "1 clusters of duplicates" in text
    assert "<td>b1, b2</td>" in text
    assert '<td class="number">0.85</td>' in text
    assert "Disagreements: 1 of 1 rows" in text
    assert "&lt;script&gt; (&lt;script&gt;); y (bob)" in text
    plain = prepared(counts, Profile().facts()).decode()
    assert "clusters" not in plain
    assert "annotators" not in plain
