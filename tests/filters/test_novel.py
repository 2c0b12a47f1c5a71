"""novel: new instructions that are like one that is there go, paraphrases and other rows stay."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.errors import UserError
from instructune.filters.novel import Filter, Options
from instructune.records import Record

REASON = "an instruction like one that is there"


def row(text: str, kind: str = "new-instruction") -> Record:
    return Record({"id": "1", "text": text, "generated": {"kind": kind}})


def drops(rows: list[Any], **options: Any) -> list[str | None]:
    novel = Filter(Options(**options))
    return [reason and str(reason) for reason in novel.answer([novel.key(one) for one in rows])]


def test_beside_files_and_the_rows_before(write):
    known = write("seeds.jsonl", [{"id": "a", "text": "write a poem about the sea"}])
    rows = [
        row("Write a poem about the sea!"),
        row("Sort five numbers by size"),
        row("Sort five numbers by their size"),
        row("Write a poem about the sea", "paraphrase"),
        Record({"id": "2", "text": "write a poem about the sea"}),
        row("Name a mountain in Asia"),
    ]
    assert drops(rows, against=(known,)) == [REASON, None, REASON, None, None, None]
    assert drops(rows[:1]) == [None]


def test_the_threshold():
    rows = [row("a b c d"), row("a b c e")]
    assert drops(rows, rouge=0.75) == [None, REASON]
    assert drops(rows, rouge=0.76) == [None, None]
    with pytest.raises(UserError, match="rouge must be above 0"):
        Options(rouge=0)
