"""Rows by task, kind, language and length, and the combinations that have none."""

from __future__ import annotations

from instructune.preparing.coverage import Counted, Coverage
from instructune.records import Record


def chat(prompt: str, **more: object) -> Record:
    return Record({"id": "1", "messages": [{"role": "user", "content": prompt}]} | more)


def row(task: str, kind: str, language: str, length: str) -> dict[str, str]:
    return {"task": task, "kind": kind, "language": language, "length": length}


def counted(records: list[Record]) -> Coverage:
    count = Counted()
    for record in records:
        count.add(record)
    return count.coverage()


RECORDS = [
    chat("Say it in French now", task="qa", kind=["task"], language="en"),
    chat("Say it in Dutch now", task="qa", kind="task", language="en"),
    chat("请说" * 10, task="qa", kind=["constraint", "task"]),
    chat("???"),
]


def test_rows_and_gaps():
    found = counted(RECORDS)
    assert found.rows == [
        row("qa", "task", "en", "0-9 words") | {"rows": 2},
        row("none", "none", "none", "0-9 words") | {"rows": 1},
        row("qa", "task+constraint", "zh", "10-49 words") | {"rows": 1},
    ]
    assert len(found.gaps) == 2 * 3 * 3 * 2 - 3
    assert row("qa", "task", "zh", "0-9 words") in found.gaps
    assert row("qa", "task", "en", "0-9 words") not in found.gaps


def test_lengths():
    lengths = [counted([chat("a " * n)]).rows[0]["length"] for n in (0, 9, 10, 50, 199, 200, 1000)]
    assert lengths == ["0-9 words"] * 2 + ["10-49 words", "50-199 words", "50-199 words"] + [
        "200-999 words",
        "1000+ words",
    ]


def test_a_language_that_the_caller_knows():
    count = Counted()
    count.add(chat("???"), "fr")
    count.add(RECORDS[0], "fr")
    assert [cell["language"] for cell in count.coverage().rows] == ["fr", "fr"]


def test_no_records():
    assert counted([]) == ([], [])
