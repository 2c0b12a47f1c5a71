"""Two prediction files in, the rows they answer differently out, the telling ones first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from instructune.errors import UserError, usage
from instructune.evaluating.predictions import read_predictions
from instructune.files import STDIO
from instructune.records import FIELDS, Record, key_of


class Answered(NamedTuple):
    """What one file says: the prediction, or the error in its place; `right` where that is known.

    Right is what equals a reference, white space around it aside.
    """

    prediction: Any
    error: str | None
    right: bool | None


class Difference(NamedTuple):
    """A row that two files answer differently."""

    id: str
    sample: int
    question: str
    references: list[Any]
    before: Answered
    after: Answered

    @property
    def is_telling(self) -> bool:
        """Whether exactly one of the two is right."""
        return self.before.right != self.after.right


class Comparison(NamedTuple):
    """Rows in both files, those that differ, and the first few of these."""

    rows: int
    different: int
    gained: int
    """wrong before, right after"""
    lost: int
    """right before, wrong after"""
    unmatched: int
    """keys that only one file has"""
    shown: list[Difference]


def compare(after: str, before: str, limit: int) -> Comparison:
    """Join two files by `(id, sample)`; rows of which one side is right come first."""
    if after == before == STDIO:
        raise usage("standard input can be read only once", where="--baseline")
    others = {key_of(row.value): row.value for row in read_predictions(before).rows}
    rows = [row.value for row in read_predictions(after).rows]
    pairs = [(others[key_of(row)], row) for row in rows if key_of(row) in others]
    if not pairs:
        raise UserError(
            f"no id is in {before} as well, so there is nothing to compare", where=after
        )
    found = [_difference(*pair) for pair in pairs if pair[0]["prediction"] != pair[1]["prediction"]]
    return Comparison(
        rows=len(pairs),
        different=len(found),
        gained=sum(bool(row.is_telling and row.after.right) for row in found),
        lost=sum(bool(row.is_telling and row.before.right) for row in found),
        unmatched=len(rows) + len(others) - 2 * len(pairs),
        shown=sorted(found, key=lambda row: not row.is_telling)[:limit],
    )


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    references = _references(after) or _references(before)
    name, sample = key_of(after)
    return Difference(
        name,
        sample,
        question(after) or question(before),
        references,
        _answered(before, references),
        _answered(after, references),
    )


def _answered(row: Mapping[str, Any], references: list[Any]) -> Answered:
    prediction = row["prediction"]
    if prediction is None:
        return Answered(None, str(row.get("error") or "no answer"), False if references else None)
    return Answered(prediction, None, is_right(prediction, references) if references else None)


def is_right(prediction: Any, references: list[Any]) -> bool:
    """Whether the prediction equals a reference, white space around it aside."""
    return any(_bare(prediction) == _bare(reference) for reference in references)


def _bare(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def _references(row: Mapping[str, Any]) -> list[Any]:
    names = ("references", "label", "tags", "messages")
    name = next((name for name in names if name in row), None)
    if name is None or FIELDS[name].check(row[name]):
        return []
    return Record(row).references()


def question(row: Mapping[str, Any]) -> str:
    """The last thing the user said, or the text that was to be gone on with."""
    messages = row.get("messages")
    if isinstance(messages, list) and not FIELDS["messages"].check(messages):
        asked = [m.get("content") for m in messages if m["role"] == "user"]
        return str(asked[-1]) if asked else ""
    texts = row.get("texts", row.get("text", ""))
    return " | ".join(map(str, texts)) if isinstance(texts, list) else str(texts)
