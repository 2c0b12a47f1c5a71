"""Every objective with a tiny model it can train, rows to learn, and rows that say otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.tuning import chats

Rows = list[dict[str, Any]]


class ObjectiveCase(NamedTuple):
    """`row(i, other)` is a row; with `other` one that contradicts what was learned.

    `given` are settings that it needs: texts that are packed must not all be in one block.
    """

    objective: str
    model: str
    row: Callable[[int, bool], dict[str, Any]]
    given: Mapping[str, Any] = MappingProxyType({})

    @property
    def settings(self) -> dict[str, Any]:
        """Of a TrainConfig."""
        own = {"objective": self.objective, "model": self.model, "format": "record"}
        return own | dict(self.given)

    def rows(self, count: int = 8, start: int = 0, *, other: bool = False) -> Rows:
        """Rows of different lengths, in the record's form."""
        return [{"id": f"{i}", **self.row(i, other)} for i in range(start, start + count)]


def _chat(i: int, other: bool) -> dict[str, Any]:
    (row,) = chats(1, start=i)
    if other:
        row["messages"][1]["content"] = "?" * 9
    return row


def _text(i: int, other: bool) -> dict[str, Any]:
    return {"text": ("XYZ " if other else "abc ") * (4 + i % 5)}


def _label(i: int, other: bool) -> dict[str, Any]:
    return {"text": "ab " * (1 + i % 4) + "c" * i, "label": "xyz"[(i + other) % 3]}


def _tags(i: int, other: bool) -> dict[str, Any]:
    tags = ["B-place", "O", "B-place"] if other else ["O", "B-place", "O"]
    return {"tokens": ["to", "Rome" * (1 + i % 3), "."], "tags": tags}


def _pair(i: int, other: bool) -> dict[str, Any]:
    texts = ["ab" * (1 + i % 3), "cd" * (1 + i % 4)]
    return {"texts": texts, "label": "xyz"[(i + other) % 3]}


def _neighbours(i: int, other: bool) -> dict[str, Any]:
    own, stranger = f"{i} " * (1 + i % 3), f"{i + 1} " * (1 + (i + 1) % 3)
    one, two = (stranger, own) if other else (own, stranger)
    return {"text": f"n {own}", "positive": f"p {one}", "negatives": [f"p {two}"]}


CASES = {
    "sft": ObjectiveCase("sft", "tiny-llama", _chat),
    "seq2seq": ObjectiveCase("seq2seq", "tiny-t5", _chat),
    "classify": ObjectiveCase("classify", "tiny-bert", _label),
    "classify-decoder": ObjectiveCase("classify", "tiny-llama", _label),
    "tag": ObjectiveCase("tag", "tiny-bert", _tags),
    "pair": ObjectiveCase("pair", "tiny-bert", _pair),
    "mlm": ObjectiveCase("mlm", "tiny-bert", _text),
    "clm": ObjectiveCase("clm", "tiny-llama", _text, {"max_length": 32}),
    "embed": ObjectiveCase("embed", "tiny-bert", _neighbours),
}
