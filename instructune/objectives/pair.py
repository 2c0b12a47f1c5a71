"""What holds between two entities of a text, marked in it, or between two texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from instructune.architectures import Head
from instructune.errors import UserError
from instructune.objectives import _framed, _scored
from instructune.records import Record
from instructune.tokens import TokenRow, row_weight
from instructune.training.batches import Batch, TokenData
from instructune.training.classes import Classes
from instructune.training.goals import Target

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given

HEAD = "sequence"


@dataclass(frozen=True)
class Options:
    """How entities are marked, which pairs are looked at, and what holds between the others.

    `typed` markers are `@ * person * Ada @ … # ^ city ^ Rome #`, words that a tokenizer knows
    (Zhou and Chen 2022, arXiv 2102.01373); `plain` ones leave out the type. `given` pairs are
    those of a row's relations; `all` are all its entities in both orders, and those without a
    relation are learned as `none`, which is left out of answers.
    """

    markers: Literal["typed", "plain"] = "typed"
    pairs: Literal["given", "all"] = "given"
    none: str = "no_relation"


class _Case(NamedTuple):
    """What is read, and what holds: of entities by their index, or of two texts."""

    texts: list[str]
    label: str | None
    ends: tuple[int, int] = (-1, -1)


class Objective(_scored.CrossEntropy):
    """Rows of a text with `entities` and `relations`, or of two `texts` and a `label`."""

    def __init__(self, options: Options, given: Given) -> None:
        self.options, self.given = options, given
        self.classes = Classes(given.stored.labels if given.stored.kind == HEAD else ())

    @property
    def head(self) -> Head:
        """A classifier of what was found to hold."""
        labels = tuple(self.classes.labels)
        if len(labels) < 2:
            raise UserError(f"there is only one label, {labels[0]!r}: nothing can be learned")
        return Head(HEAD, labels, "single_label_classification", self.given.pad_id)

    @property
    def facts(self) -> dict[str, Any]:
        """What the answers are made by."""
        options = self.options
        told = {"markers": options.markers, "pairs": options.pairs, "none": options.none}
        return {"overflow": self.given.overflow, **told}

    def encoding(self, *, learns: bool) -> _framed.Rows:
        """A row for each pair, framed."""

        def read(record: Record) -> list[_framed.Piece]:
            found, weight = cases(record, self.options), [row_weight(record)]
            if not found:
                raise UserError("has no relations to learn")
            return [_framed.Piece(c.texts, learned(weight, c.label)) for c in found]

        def learned(weight: list[float], label: Any) -> Any:
            if not isinstance(label, str):
                raise UserError("has no label to learn" if label is None else "has several labels")
            number = self.classes.number(label, learns=learns)
            return lambda framed: (weight, {"labels": [number]})

        return _framed.Rows(self.given, read)

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Targets (B,)."""
        import torch

        ids, mask, inputs = _framed.inputs_of(data, rows, self.given, pad_id)
        column = data.columns["labels"]
        targets = np.array([column.of(row)[0] for row in rows], dtype=np.int64)
        weights = torch.from_numpy(_framed.weights_of(data, rows))
        return Batch(ids, mask, torch.from_numpy(targets), weights, list(rows), inputs)

    def scores(self, model: Any, batch: Batch) -> torch.Tensor:
        """The logits of each pair; (B, C)."""
        return _framed.logits(model, batch)[batch.weights > 0]


def cases(record: Record, options: Options) -> list[_Case]:
    """The pairs of a record; their label is None where it is not known."""
    if "texts" in record:
        return [_Case(_framed.texts_of(record), record.get("label"))]
    if "text" not in record or "entities" not in record:
        raise UserError("has no pair of texts, and no text with entities")
    entities = record["entities"]
    known = {(r["head"], r["tail"]): str(r["type"]) for r in record.get("relations", ())}
    if options.pairs == "given" and known:
        looked_at: Iterable[tuple[int, int]] = known
    else:
        looked_at = permutations(range(len(entities)), 2)
    none = options.none if "relations" in record else None
    return [
        _Case(
            [marked(record["text"], entities, ends, options.markers)], known.get(ends, none), ends
        )
        for ends in looked_at
    ]


def marked(
    text: str, entities: Sequence[Mapping[str, Any]], ends: tuple[int, int], markers: str
) -> str:
    """The text with marks around the first entity, `@`, and the second, `#`."""
    edits = []
    for index, mark, inner in zip(ends, "@#", "*^", strict=True):
        entity = entities[index]
        kind = str(entity.get("type") or "").lower()
        typed = f"{inner} {kind} {inner} " if markers == "typed" and kind else ""
        length = entity["end"] - entity["start"]
        # of two that begin together the longer opens first, and what ends there closes before
        edits.append((entity["start"], 1, -length, f"{mark} {typed}"))
        edits.append((entity["end"], 0, -entity["start"], f" {mark}"))
    for at, _, _, what in sorted(edits, reverse=True):
        text = text[:at] + what + text[at:]
    return text


class Answers:
    """The label of two texts, or the relations of a text's entities."""

    def __init__(self, facts: Mapping[str, Any], given: Given) -> None:
        self.given, self.labels = given, given.stored.labels
        self.overflow = facts.get("overflow", "error")
        told = {key: facts[key] for key in ("markers", "pairs", "none") if key in facts}
        self.options = Options(**told)

    def rows(self, record: Record) -> list[TokenRow]:
        """A row for each pair; raises UserError where there is none, or one is too long."""
        found = cases(record, self.options)
        return [_framed.row_of(self.given, self.overflow, case.texts, record) for case in found]

    def of(self, model: Any, rows: Sequence[TokenRow], pad_id: int) -> list[Mapping[str, Any]]:
        """The log-probability of each label, for each pair."""
        batch = _framed.asked(rows, self.given, pad_id, model)
        found = _framed.logits(model, batch).float().log_softmax(-1)
        good = found.isfinite().all(-1).tolist()
        told = (dict(zip(self.labels, row, strict=True)) for row in found.tolist())
        return [row if is_good else {} for row, is_good in zip(told, good, strict=True)]

    def joined(self, record: Record, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The label, or the relations but those that are none."""
        best = [max(part, key=part.__getitem__) for part in parts]
        if "texts" in record:
            return {"prediction": best[0], "label_scores": dict(parts[0])}
        pairs = (case.ends for case in cases(record, self.options))
        return {
            "prediction": [
                {"head": head, "tail": tail, "type": kind}
                for (head, tail), kind in zip(pairs, best, strict=True)
                if kind != self.options.none
            ]
        }

    def target(
        self, record: Record, rows: Sequence[TokenRow], parts: Sequence[Mapping[str, Any]]
    ) -> Target | None:
        """The log-probability of the label, or of the surest relation that was found."""
        best = [max(part, key=part.__getitem__) for part in parts]
        if "texts" in record:
            return _framed.log_probability(rows[0], self.given, self.labels, best[0])
        found = [i for i, kind in enumerate(best) if kind != self.options.none or len(rows) == 1]
        if not found:
            return None
        surest = max(found, key=lambda i: parts[i][best[i]])
        entities = [record["entities"][i] for i in cases(record, self.options)[surest].ends]
        head, tail = (record["text"][entity["start"] : entity["end"]] for entity in entities)
        between = f" between {head!r} and {tail!r}"
        return _framed.log_probability(rows[surest], self.given, self.labels, best[surest], between)
