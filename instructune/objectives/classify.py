"""Classes, several labels, or a number for a text or a pair of texts, by a head on the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from instructune.architectures import Head
from instructune.errors import UserError, usage
from instructune.objectives import _framed
from instructune.records import Record
from instructune.tokens import TokenRow, row_weight
from instructune.training import classes
from instructune.training.batches import Batch, TokenData
from instructune.training.classes import Classes
from instructune.training.goals import Target

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given, Loss

HEAD = "sequence"
_ONE, _SEVERAL, _NUMBER = (
    "single_label_classification",
    "multi_label_classification",
    "regression",
)
_IN_WORDS = {_ONE: "one label", _SEVERAL: "a list of labels", _NUMBER: "a number"}


@dataclass(frozen=True)
class Options:
    """The loss, `focal` with its exponent `gamma`; class weights; labels, one a line of a file.

    `threshold` is the probability from which one of several labels is given.
    """

    loss: Literal["cross_entropy", "focal"] = "cross_entropy"
    gamma: float = 2.0
    class_weights: Literal["none", "balanced"] = "none"
    labels: str = ""
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.gamma < 0 or not 0 < self.threshold < 1:
            raise usage("objective 'classify': gamma is at least 0, threshold between 0 and 1")


class Objective:
    """Rows of one text or two with a `label`, or chats whose answer is the label."""

    whole = False

    def __init__(self, options: Options, given: Given) -> None:
        self.options, self.given = options, given
        labels: Sequence[str] = ()
        if options.labels:
            labels = classes.read_labels(options.labels)
        elif given.stored.kind == HEAD and given.stored.problem != _NUMBER:
            labels = given.stored.labels
        self.classes = Classes(labels, fixed=bool(options.labels))
        self.problem = ""  # told by the first record
        self.learned = 0  # records

    @property
    def head(self) -> Head:
        """A classifier of the labels that were found; regression has one output."""
        labels = ("value",) if self.problem == _NUMBER else tuple(self.classes.labels)
        if self.problem == _ONE and len(labels) < 2:
            raise UserError(f"there is only one label, {labels[0]!r}: nothing can be learned")
        return Head(HEAD, labels, self.problem, self.given.pad_id)

    @property
    def facts(self) -> dict[str, Any]:
        """What the answers are made by."""
        return {"overflow": self.given.overflow, "threshold": self.options.threshold}

    def encoding(self, *, learns: bool) -> _framed.Rows:
        """Framed texts, beside the numbers of their labels."""

        def read(record: Record) -> list[_framed.Piece]:
            self.learned += learns
            learned = [row_weight(record)], {"labels": self._learned(record, learns)}
            return [_framed.Piece(_framed.texts_of(record), lambda framed: learned)]

        return _framed.Rows(self.given, read)

    def _learned(self, record: Record, learns: bool) -> list[int] | list[float]:
        label = _label(record)
        problem = _ONE if isinstance(label, str) else _NUMBER
        if isinstance(label, list):
            problem = _SEVERAL
        self.problem = self.problem or problem
        if problem != self.problem:
            raise UserError(f"its label is {_IN_WORDS[problem]}, not {_IN_WORDS[self.problem]}")
        if problem == _NUMBER:
            if self.options != Options(threshold=self.options.threshold):
                raise usage("objective 'classify': a number has no classes, weights or focal loss")
            return [float(label)]
        labels = [label] if problem == _ONE else list(dict.fromkeys(label))
        return [self.classes.number(one, learns=learns) for one in labels]

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Targets (B,), or (B, L) where several labels may be right."""
        import numpy as np
        import torch

        ids, mask, inputs = _framed.inputs_of(data, rows, self.given, pad_id)
        weights, column = _framed.weights_of(data, rows), data.columns["labels"]
        size = len(self.classes.labels)
        if self.problem == _SEVERAL:
            targets = np.zeros((len(rows), size), dtype=np.float32)
            for i, row in enumerate(rows):
                targets[i, column.of(row)] = 1
        else:
            kind = np.float32 if self.problem == _NUMBER else np.int64
            targets = np.array([column.of(row)[0] for row in rows], dtype=kind)
        if self.problem == _ONE and self.options.class_weights == "balanced":
            weights *= np.array(classes.balanced(self.classes.counts, size), np.float32)[targets]
        tensors = torch.from_numpy(targets), torch.from_numpy(weights)
        return Batch(ids, mask, *tensors, list(rows), inputs)

    @property
    def scores(self) -> Callable[[Any, Batch], torch.Tensor] | None:
        """Of the rows with a weight, (N, C); None where not one class alone is right."""
        if self.problem != _ONE or self.options.loss != "cross_entropy":
            return None
        return lambda model, batch: _framed.logits(model, batch)[batch.weights > 0]

    def loss(self, model: Any, smoothing: float = 0.0) -> Loss:
        """Cross-entropy of classes, mean binary one of labels, squared error of numbers."""
        from instructune.training import losses

        gamma = self.options.gamma if self.options.loss == "focal" else 0.0
        positive = self._positive(model)

        def loss(batch: Batch) -> torch.Tensor:
            scores, targets, weights = _framed.logits(model, batch), batch.targets, batch.weights
            if self.problem == _NUMBER:
                return losses.squared_error(scores[:, 0], targets, weights)
            if self.problem == _ONE:
                return losses.cross_entropy(
                    scores, targets, weights, gamma=gamma, smoothing=smoothing
                )
            return losses.binary_cross_entropy(
                scores, targets, weights, gamma=gamma, positive=positive
            )

        return loss

    def _positive(self, model: Any) -> torch.Tensor | None:
        """Of each of several labels, how many rows lack it for one that has it; (L,)."""
        if self.problem != _SEVERAL or self.options.class_weights != "balanced":
            return None
        import torch

        counts = [self.classes.counts[i] for i in range(len(self.classes.labels))]
        found = [(self.learned - n) / n if n else 1.0 for n in counts]
        return torch.tensor(found, device=model.device)


class Answers(_framed.Whole):
    """The likeliest label, the likely ones of several, or the number, with `label_scores`."""

    def __init__(self, facts: Mapping[str, Any], given: Given) -> None:
        self.given, self.head = given, given.stored
        self.overflow = facts.get("overflow", "error")
        self.threshold = facts.get("threshold", Options.threshold)

    def row(self, record: Record) -> TokenRow:
        """The framed text; raises UserError where it is too long and was not cut in training."""
        return _framed.row_of(self.given, self.overflow, _framed.texts_of(record), record)

    def of(self, model: Any, rows: Sequence[TokenRow], pad_id: int) -> list[Mapping[str, Any]]:
        """The fields of each row's prediction."""
        batch = _framed.asked(rows, self.given, pad_id, model)
        scores = _framed.logits(model, batch).float()
        good = scores.isfinite().all(-1).tolist()
        return [
            row if is_good else {} for row, is_good in zip(self._fields(scores), good, strict=True)
        ]

    def _fields(self, scores: torch.Tensor) -> list[Mapping[str, Any]]:
        if self.head.problem == _NUMBER:
            return [{"prediction": value} for value in scores[:, 0].tolist()]
        several = self.head.problem == _SEVERAL
        # log(sigmoid(x)) is the first of two classes x and 0
        found = -(-scores).exp().log1p() if several else scores.log_softmax(-1)
        told = [dict(zip(self.head.labels, row, strict=True)) for row in found.tolist()]
        return [{"prediction": self._chosen(row), "label_scores": row} for row in told]

    def target(
        self, record: Record, rows: Sequence[TokenRow], parts: Sequence[Mapping[str, Any]]
    ) -> Target:
        """The label's log-probability, the logits of several together, or the number."""
        (row,), told = rows, parts[0]["prediction"]
        if self.head.problem not in (_SEVERAL, _NUMBER):
            return _framed.log_probability(row, self.given, self.head.labels, told)
        scores = _framed.reread(row, self.given)
        if self.head.problem == _NUMBER:
            return Target(row, "the number", lambda model, ids: scores(model, ids)[:, 0])
        words, given = "logit of {}", told
        if not told:
            found: dict[str, float] = parts[0]["label_scores"]
            words, given = "logit of {}, the likeliest", [max(found, key=found.__getitem__)]
        elif len(told) > 1:
            words = "sum of the logits of {}"
        numbers = [self.head.labels.index(label) for label in given]
        return Target(
            row,
            words.format(", ".join(map(repr, given))),
            lambda model, ids: scores(model, ids)[:, numbers].sum(-1),
        )

    def _chosen(self, scores: dict[str, float]) -> str | list[str]:
        if self.head.problem == _SEVERAL:
            least = math.log(self.threshold)
            return [label for label, score in scores.items() if score >= least]
        return max(scores, key=scores.__getitem__)


def _label(record: Record) -> Any:
    if "label" in record:
        return record["label"]
    answer = record.answer() if "messages" in record else None
    if answer and (text := (answer.get("content") or "").strip()):
        return text
    raise UserError("has no label and no answer to take for one")
