"""What a model tells of answers that it did not write: of references, and of labels.

A measured answer is scored from its first token to the one that ends its turn, as it would be
trained on, so that it cannot be likely for being the beginning of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

from instructune.errors import UserError, usage
from instructune.files import open_input
from instructune.records import Record
from instructune.tokenizer import Tokenizer
from instructune.tokens import Encoding, TokenRow

Likelihoods = Callable[[Sequence[Sequence[int]], Sequence[int]], list[list[float]]]


class Sides(Protocol):
    """Records that end in an answer to rows, of which it is the part that counts, or `output`."""

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """A row for each record, in order."""


class Measures:
    """The fields that predictions get beside the model's own answer."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        references: bool,
        labels: str | None,
        limit: int | None,
        sides: Sides | None = None,
    ) -> None:
        """`labels` as in `--label-scores`; `limit` is the model's, in tokens.

        `sides` makes the rows of a model that reads prompt and answer apart, each of which may
        be as long as the limit.
        """
        self.sides = sides
        self.encoding: Sides = sides or Encoding(tokenizer, train_on="last")
        self.references, self.limit = references, limit
        self.field, self.labels = _labels(labels) if labels else ("", ())

    def __bool__(self) -> bool:
        return self.references or bool(self.labels or self.field)

    def of(
        self, records: Sequence[Record], likelihoods: Likelihoods
    ) -> list[dict[str, Any] | UserError]:
        """The fields of each record, or why it has none: what is asked about is too long.

        Raises UserError where a record lacks what is asked about.
        """
        found: list[dict[str, Any] | UserError] = [{} for _ in records]
        if self.references:
            texts = self.sides is None
            references = [_reference(record, texts=texts) for record in records]
            for i, scored in enumerate(self._scored(references, likelihoods)):
                found[i] = scored if isinstance(scored, UserError) else _sums(references[i], scored)
        for i, record in enumerate(records):
            fields = found[i]
            labels = self.labels or (self.field and _choices(record, self.field))
            if not labels or isinstance(fields, UserError):
                continue
            scores = self._scored([_answered(record, label) for label in labels], likelihoods)
            try:
                fields["label_scores"] = {
                    label: sum(_good(s)) for label, s in zip(labels, scores, strict=True)
                }
            except UserError as error:
                found[i] = error
        return found

    def sequence(self, record: Record, answer: str) -> tuple[list[int], int]:
        """The tokens of a record with this answer, as it is scored, and where the answer starts."""
        return _scored_part(next(self.encoding.sequences([_answered(record, answer)])))

    def _scored(
        self, records: list[Record], likelihoods: Likelihoods
    ) -> list[list[float] | UserError]:
        """The log-probabilities of each record's answer, or why it is not read."""
        rows = [_scored_part(row) for row in self.encoding.sequences(records)]
        wrong = [self._wrong(ids, start) for ids, start in rows]
        good = [row for row, reason in zip(rows, wrong, strict=True) if not reason]
        scored = iter(likelihoods(*zip(*good, strict=True)) if good else [])
        return [UserError(reason) if reason else next(scored) for reason in wrong]

    def _wrong(self, ids: Sequence[int], start: int) -> str | None:
        """Why a model cannot read a prompt and the answer at `start`."""
        if not start:
            return "the prompt is empty"
        sides = {"prompt and answer are": len(ids)}
        if self.sides:
            sides = {"the prompt is": start, "the answer is": len(ids) - start}
        told = max(sides, key=sides.__getitem__)
        if self.limit is None or sides[told] <= self.limit:
            return None
        return f"{told} {sides[told]} tokens, more than {self.limit}"


def _scored_part(row: TokenRow) -> tuple[list[int], int]:
    """The tokens up to the last one that counts, and the place of the first."""
    if "output" in row.columns:  # a sequence of its own
        output: Any = row.columns["output"]
        return [*row.ids, *output], len(row.ids)
    counts = [i for i, weight in enumerate(row.weights) if weight]
    return row.ids[: counts[-1] + 1], counts[0]


def _good(scored: list[float] | UserError) -> list[float]:
    if isinstance(scored, UserError):
        raise scored
    return scored


def _sums(reference: Record, scored: list[float]) -> dict[str, Any]:
    text = reference.get("text") or reference["messages"][-1].get("content") or ""
    found = {"sum": sum(scored), "tokens": len(scored), "bytes": len(text.encode())}
    return {"reference_logprob": found}


def _labels(text: str) -> tuple[str, tuple[str, ...]]:
    """A field's name, or labels: `A,B`, or the lines of `@FILE`."""
    if text.startswith("@"):
        with open_input(text[1:]) as source:
            lines = source.stream.read().decode("utf-8-sig", "replace").splitlines()
        labels = [line.strip() for line in lines if line.strip()]
    else:
        labels = [label.strip() for label in text.split(",")]
        if len(labels) == 1 and labels[0]:
            return labels[0], ()
    if len(labels) < 2 or "" in labels or len(set(labels)) < len(labels):
        raise usage("needs two different labels or more", where="--label-scores")
    return "", tuple(labels)


def _choices(record: Record, field: str) -> list[str]:
    found = record.get(field, record.get("fields", {}).get(field))
    if type(found) is list and found and all(type(item) is str and item for item in found):
        return list(dict.fromkeys(found))
    raise UserError(
        f"{field!r} must be a list of the row's labels",
        where=record.where,
        hint="for the same labels everywhere: --label-scores A,B,… or @FILE",
    )


def _reference(record: Record, *, texts: bool) -> Record:
    """The record as one that ends in its first reference, and in which everything counts.

    `texts`: whether a plain text may be one.
    """
    if "text" in record and texts:
        return Record(id=record["id"], origin=record.where, text=record["text"])
    if "messages" in record:
        if answer := record.answer():
            turn = {key: value for key, value in answer.items() if key != "weight"}
            return _ending_in(record, turn)
        if references := record.references():
            return _answered(record, references[0])
    raise UserError(
        "has no reference answer to score",
        where=record.where,
        hint="a last assistant turn, or `references`",
    )


def _answered(record: Record, answer: Any) -> Record:
    if "messages" not in record:
        raise UserError(
            "has no turns that a label could answer",
            where=record.where,
            hint="prepare --template classification puts labelled rows into words",
        )
    if type(answer) is not str:
        raise UserError(f"its reference is no text: {answer!r}", where=record.where)
    return _ending_in(record, {"role": "assistant", "content": answer})


def _ending_in(record: Record, turn: dict[str, Any]) -> Record:
    tools = {"tools": record["tools"]} if "tools" in record else {}
    messages = [*record.prompt(), turn]
    return Record(id=record["id"], origin=record.where, messages=messages, **tools)
