"""reports/evaluated: the whole page, from files, hostile rows among them."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from instructune.configs import EvalConfig
from instructune.errors import UserError
from instructune.stages.eval import evaluate
from tests.wellformed import elements

EVIL = (
    "<script>alert(1)</script>",
    "\" onmouseover=\"alert(1)' onclick='x",
    "</style></title></details><h1>OWNED</h1>",
    "a\u202egnp.exe\u202c\u2066",
    "nul\x00 esc\x1b[31m bell\x07 csi\x9b",
    "line\u2028par\u2029end",
    "<!-- ]]> --> &lt;script&gt; {{7*7}} javascript:alert(1)",
)
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name, rows):
    Path(name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))


def rows(shift, labels=("yes", "no", "maybe")):
    made = []
    for i in range(24):
        said = labels[(i + (i % 2 == 0) * shift) % 3]
        chance = {x: math.log(0.8 if x == said else 0.1) for x in labels}
        made.append(
            {
                "id": f"r{i:02}",
                "text": f"question {i}",
                "label": labels[i % 3],
                "task": f"task {i % 2}",
                "prediction": said,
                "finish_reason": "stop",
                "label_scores": chance,
                "model": f"m{shift}",
            }
        )
    return made


def report(**more):
    config = EvalConfig(
        predictions="new.jsonl",
        baseline="old.jsonl",
        output="s.jsonl",
        report="r.html",
        by=("task",),
        resamples=200,
    )
    evaluate(replace(config, **more))
    return Path("r.html").read_bytes()


@pytest.fixture
def files(here):
    write("new.jsonl", rows(0))
    write("old.jsonl", rows(1))


def test_every_section_is_there(files):
    page = report(fail_if=("accuracy < 0.5",))
    elements(page)
    text = page.decode()
    assert "<title>instructune eval: new.jsonl against old.jsonl</title>" in text
    assert re.findall("<h2>(.*?)</h2>", text) == [
        "Gates",
        "Scores",
        "By task",
        "Kept and lost by task",
        "Labels",
        "Which label was taken for which",
        "Calibration",
        "Answers",
        "Lengths of answers and why they ended",
        "Where this comes from",
    ]
    assert '<section class="verdict good"><strong>Better</strong>' in text
    assert "<p>Accuracy rose from 0.50 to 1.00 (95 % interval of the difference " in text
    assert "<li>1 of 1 gate passed.</li>" in text
    assert "24 of 24 predictions scored, errors: 0" in text


def test_a_failed_gate_is_the_verdict(files):
    text = report(fail_if=("accuracy > 0.5",)).decode()
    assert (
        '<section class="verdict bad"><strong>Gate failed</strong><p>accuracy &gt; 0.5, found 1.</p>'
        in text
    )


def test_provenance(files):
    text = report().decode()
    for name in ("new.jsonl", "old.jsonl"):
        assert hashlib.sha256(Path(name).read_bytes()).hexdigest() in text
    assert "<td>model, now</td><td><code>m0</code></td>" in text
    assert "<td>model, before</td><td><code>m1</code></td>" in text
    assert "accuracy|labels:stripped|references:any|errors:wrong|unit:id|ci:wilson" in text
    assert "<td>seed</td><td><code>0</code></td>" in text
    for place in ("s.jsonl", "r.html"):
        assert place not in text


def test_the_same_inputs_give_the_same_bytes(files, tmp_path_factory, monkeypatch):
    page = report()
    assert report() == page
    other = tmp_path_factory.mktemp("elsewhere")
    for name in ("new.jsonl", "old.jsonl"):
        (other / name).write_bytes(Path(name).read_bytes())
    given = {"predictions": f"{other}/new.jsonl", "baseline": f"{other}/old.jsonl"}
    assert report(**given, output="other.jsonl") == page
    assert str(other).encode() not in page


def test_the_order_of_rows_changes_only_the_hashes(files):
    page = re.sub(rb"[0-9a-f]{64}", b"", report())
    for name, shift in (("new.jsonl", 0), ("old.jsonl", 1)):
        write(name, rows(shift)[::-1])
    assert re.sub(rb"[0-9a-f]{64}", b"", report()) == page


def test_hostile_rows_cannot_inject_anything(here):
    sides = {"new.jsonl": 0, "old.jsonl": 1}
    for name, shift in sides.items():
        made = []
        for i in range(28):
            evil = EVIL[i % len(EVIL)]
            turns = [{"role": "user", "content": evil}, {"role": "assistant", "content": evil}]
            said = EVIL[(i + (i % 3 == shift)) % len(EVIL)]
            more = {"task": evil, "finish_reason": evil, "model": evil, "error": evil, evil: evil}
            failed = {
                "prediction": None if i == 5 else said,
                "label_scores": {evil: -1.0, "x": -2.0},
            }
            made.append({"id": f"{evil}{i}", "messages": turns} | more | failed)
        write(name, made)
    page = report(by=("task", EVIL[0]), fail_if=("exact_match < 0.99",))
    seen = elements(page)
    text = page.decode()
    assert not RAW.search(text)
    assert [tag for tag, _ in seen if tag in ("h1", "style", "title")].count("h1") == 1
    assert "alert(1)" in text  # it is told, as text
    for evil in EVIL[:3]:
        assert evil not in text
    styles = {attributes["style"] for _, attributes in seen if "style" in attributes}
    assert all(re.fullmatch(r"background: rgb\(var\(--\w+-fill\) / 0\.\d\d\)", s) for s in styles)


def test_without_a_baseline(files):
    text = report(baseline=None, by=(), metric=("accuracy",)).decode()
    assert "<strong>Better than chance</strong>" in text
    assert "<title>instructune eval: new.jsonl</title>" in text
    for absent in ("baseline", "Kept and lost", "Before", "By task"):
        assert absent not in text.partition("Where this comes from")[0].partition("</style>")[2]


def test_long_runs_stay_small(here):
    labels = [f"label number {i}" for i in range(150)]
    made = [
        {
            "id": str(i),
            "text": "x" * 10_000,
            "label": labels[i % 150],
            "task": str(i),
            "prediction": labels[i % 149],
        }
        for i in range(900)
    ]
    write("new.jsonl", made)
    write("old.jsonl", made[::-1])
    assert len(report()) < 1_000_000


def test_nothing_is_written_when_a_report_cannot_be_made(files, here):
    with pytest.raises(UserError, match="no such directory"):
        report(report="nowhere/r.html")
    with pytest.raises(UserError, match="two outputs cannot go to one place"):
        report(report="s.jsonl")
    assert not Path("s.jsonl").exists()
