"""reports: well-formed HTML that loads nothing, with what rows hold escaped."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from instructune import reports
from instructune.agreement import Agreement
from instructune.profile import Profile
from instructune.records import Record

VOID = {"meta", "!doctype"}


class Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(page: bytes) -> list[tuple[str, dict[str, Any]]]:
    checker = Checker()
    checker.feed(page.decode())
    assert checker.open == []
    assert not {"script", "link", "img", "iframe"} & {tag for tag, _ in checker.seen}
    return checker.seen


def test_bars_are_as_long_as_their_values():
    seen = checked(reports.page("t", [reports.bars({"a": 10, "b": 5, "c": 0})]))
    widths = [float(attributes["width"]) for tag, attributes in seen if tag == "rect"]
    assert widths == [360, 180, 0]
    checked(reports.page("t", [reports.bars({}), reports.bars({"x" * 99: 0})]))


def test_tables():
    text = reports.table([{"name": "a", "rows": 1234}, {"name": "b", "rows": 5}])
    assert '<th>name</th><th class="number">rows</th>' in text
    assert '<td>a</td><td class="number">1,234</td>' in text
    assert reports.table([]) == reports.note("none")


def test_what_rows_hold_is_escaped():
    profile = Profile()
    evil = "<script>alert(1)</script>"
    profile.see(Record({"id": "1", "text": "t", "label": evil, "task": evil}))
    counts = {"rows_in": 2, "out": 1, "dropped": {evil: 1}, "notes": {evil: 2}}
    page = reports.prepared(counts, profile.facts())
    checked(page)
    assert b"<script>" not in page
    assert page.count(b"&lt;script&gt;") >= 4


def test_where_each_row_went():
    counts = {"rows_in": 5, "added": {"x": 1}, "rejected": {"y": 2}, "dropped": {"z": 1}, "out": 3}
    page = reports.prepared(counts, Profile().facts()).decode()
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
    page = reports.prepared(counts | more, Profile().facts())
    checked(page)
    text = page.decode()
    assert "<script>" not in text
    assert "1 clusters of duplicates" in text
    assert "<td>b1, b2</td>" in text
    assert '<td class="number">0.85</td>' in text
    assert "Disagreements: 1 of 1 rows" in text
    assert "&lt;script&gt; (&lt;script&gt;); y (bob)" in text
    plain = reports.prepared(counts, Profile().facts()).decode()
    assert "clusters" not in plain
    assert "annotators" not in plain
