"""A tag for each word, such as the entities of IOB or BIOES, by a head on the model's tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from instructune.architectures import Head
from instructune.entities.tagschemes import Span, detect, spans, tags_of
from instructune.errors import UserError
from instructune.framing import Framed
from instructune.objectives import _framed, _scored
from instructune.records import Record
from instructune.tokens import TokenRow, row_weight
from instructune.training.batches import Batch, TokenData, padded_ids
from instructune.training.classes import Classes
from instructune.training.goals import Target
from instructune.words import joined, pieces, words_in

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given

HEAD = "token"


@dataclass(frozen=True)
class Options:
    """`scheme` to learn in, that of the data if empty; which pieces of a word are learned.

    Answers are in the scheme of the data, whichever is learned.
    """

    scheme: Literal["", "iob1", "iob2", "bioes"] = ""
    pieces: Literal["first", "all"] = "first"


class _Words(NamedTuple):
    """The text of a record, and its words by their characters in it."""

    text: str
    spans: list[tuple[int, int]]


class Objective(_scored.CrossEntropy):
    """Rows of `tokens` and `tags`, or of a `text` with its `entities`."""

    def __init__(self, options: Options, given: Given) -> None:
        self.options, self.given = options, given
        self.classes = Classes(given.stored.labels if given.stored.kind == HEAD else ())
        self.given_scheme = "iob2"

    @property
    def head(self) -> Head:
        """A classifier of the tags that were found."""
        return Head(HEAD, tuple(self.classes.labels), None, self.given.pad_id)

    @property
    def facts(self) -> dict[str, Any]:
        """What the answers are made by."""
        learned = self.options.scheme and self.given_scheme
        return {"overflow": self.given.overflow, "scheme": learned}

    def encoding(self, *, learns: bool) -> _framed.Rows:
        """Framed texts, with the number of each learned piece's tag."""

        def read(record: Record) -> list[_framed.Piece]:
            words, tags, weight = _words(record), self.tags(record), row_weight(record)

            def learned(framed: Framed) -> tuple[list[float], _framed.Columns] | None:
                weights, labels = self.columns(framed, words, tags, weight, learns)
                return (weights, {"labels": labels}) if any(weights) else None

            return [_framed.Piece([words.text], learned)]

        return _framed.Rows(self.given, read)

    def tags(self, record: Record) -> list[str]:
        """The tags to learn of a record, one a word."""
        if "tokens" not in record:
            return tags_of(_in_words(record), len(_words(record).spans), self._scheme())
        if "tags" not in record:
            raise UserError("has no tags")
        tags: list[str] = record["tags"]
        if not self.options.scheme:
            return tags
        if detect([tags]) == "bioes":
            self.given_scheme = "bioes"
        return tags_of(spans(tags, "conll"), len(tags), self._scheme())

    def _scheme(self) -> Any:
        return self.options.scheme or "iob2"

    def columns(
        self, framed: Framed, words: _Words, tags: Sequence[str], weight: float, learns: bool
    ) -> tuple[list[float], list[int]]:
        """The weight and the tag's number of each piece."""
        weights, labels = [0.0] * len(framed.ids), [0] * len(framed.ids)
        for tag, (first, end) in zip(tags, pieces(words.spans, framed.offsets), strict=True):
            if self.options.pieces == "first":
                end = min(first + 1, end)
            for i in range(first, end):
                inner = f"I{tag[1:]}" if i > first and tag[:2] == "B-" else tag
                labels[framed.lead + i] = self.classes.number(inner, learns=learns)
                weights[framed.lead + i] = weight
        return weights, labels

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Targets and weights (B, T)."""
        import torch

        ids, mask = padded_ids(data, rows, pad_id)
        targets = torch.from_numpy(data.columns["labels"].padded(rows, 0))
        weights = torch.from_numpy(data.columns["weights"].padded(rows, 0))
        return Batch(ids, mask, targets, weights, list(rows))

    def scores(self, model: Any, batch: Batch) -> torch.Tensor:
        """Of the learned pieces, (N, tags)."""
        return _framed.logits(model, batch)[batch.weights > 0]


class Answers(_framed.Whole):
    """The likeliest tag of each word, and the entities that the tags mark."""

    def __init__(self, facts: Mapping[str, Any], given: Given) -> None:
        self.given, self.labels = given, given.stored.labels
        self.overflow, self.scheme = facts.get("overflow", "error"), facts.get("scheme", "")

    def row(self, record: Record) -> TokenRow:
        """The framed words; raises UserError where they are too long and were not cut."""
        words = _words(record)
        framed = _framed.framed_one(self.given, self.overflow, [words.text], record.where)
        found = pieces(words.spans, framed.offsets)
        firsts = [framed.lead + first if end > first else -1 for first, end in found]
        return TokenRow(framed.ids, [1.0], record["id"], record.where, {"firsts": firsts})

    def of(self, model: Any, rows: Sequence[TokenRow], pad_id: int) -> list[Mapping[str, Any]]:
        """The tags of each row's words."""
        import torch

        ids, mask = padded_ids(TokenData(rows), list(range(len(rows))), pad_id)
        empty = torch.empty(0)
        batch = Batch(ids, mask, empty, empty, []).to(model.device)
        scores = _framed.logits(model, batch)
        found = zip(rows, scores.argmax(-1).tolist(), scores.isfinite().all(-1), strict=True)
        return [
            {"tags": self._tags(row, numbers)} if good[: len(row.ids)].all() else {}
            for row, numbers, good in found
        ]

    def _tags(self, row: TokenRow, numbers: list[int]) -> list[str]:
        outside = "O" if "O" in self.labels else self.labels[0]
        firsts: Any = row.columns["firsts"]
        return [self.labels[numbers[at]] if at >= 0 else outside for at in firsts]

    def target(
        self, record: Record, rows: Sequence[TokenRow], parts: Sequence[Mapping[str, Any]]
    ) -> Target | None:
        """The log-probability of the tags of all words that are not outside."""
        firsts: Any = rows[0].columns["firsts"]
        told = zip(firsts, parts[0]["tags"], strict=True)
        tagged = [(at, self.labels.index(tag)) for at, tag in told if at >= 0 and tag != "O"]
        if not tagged:
            return None
        scores = _framed.reread(rows[0], self.given)
        places, numbers = map(list, zip(*tagged, strict=True))

        def score(model: Any, ids: torch.Tensor) -> torch.Tensor:
            return scores(model, ids).log_softmax(-1)[:, places, numbers].sum(-1)

        count = f"{len(places)} word{'s' if len(places) > 1 else ''}"
        return Target(rows[0], f"log-probability of the tags of {count}", score, places)

    def joined(self, record: Record, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The tags, or of a plain text the entities that they mark; `spans` where there are any."""
        tags = parts[0]["tags"]
        try:
            found = spans(tags, "conll")
        except ValueError:  # tags of other things than entities
            return {"prediction": tags}
        places = _plain_spans(record)
        told = [
            {"start": places[s.start][0], "end": places[s.end - 1][1], "type": s.type}
            for s in found
        ]
        if "tokens" not in record:
            return {"prediction": told, "spans": told}
        if self.scheme:
            tags = tags_of(found, len(tags), self.scheme)
        return {"prediction": tags, "spans": told}


def _words(record: Record) -> _Words:
    if "tokens" in record:
        text, starts = joined(record["tokens"])
        ends = (start + len(word) for start, word in zip(starts, record["tokens"], strict=True))
        return _Words(text, list(zip(starts, ends, strict=True)))
    if "text" in record:
        return _Words(record["text"], words_in(record["text"]))
    raise UserError("has no tokens and no text to tag")


def _plain_spans(record: Record) -> list[tuple[int, int]]:
    """The words by their characters in the record's text, or in its tokens joined by blanks."""
    if "tokens" not in record:
        return words_in(record["text"])
    found, at = [], 0
    for word in record["tokens"]:
        found.append((at, at + len(word)))
        at += len(word) + 1
    return found


def _in_words(record: Record) -> list[Span]:
    """The entities of a text as spans of its words: those that begin within the entity."""
    if "entities" not in record:
        raise UserError("has no tags and no entities to learn")
    starts = [start for start, _ in _words(record).spans]
    found = []
    for entity in record["entities"]:
        inside = [i for i, at in enumerate(starts) if entity["start"] <= at < entity["end"]]
        if inside:
            found.append(Span(inside[0], inside[-1] + 1, str(entity["type"])))
    return found
