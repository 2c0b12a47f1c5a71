"""What calibration metrics share: the chances in `label_scores`, and what would mend them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._fields import label_scores

_EXTREME = 1e3  # temperatures beyond it, and below its inverse, calibrate nothing
_DIGITS = 12  # chances that differ beyond them are one


class Chances(NamedTuple):
    """Rows that have an answer: their scores by label, and what came true.

    `scores` (m, L) are -inf where a row has no such label; `top` and `true` (m,) are columns. The
    true label is the top one where that is a reference, else the first reference.
    """

    scores: np.ndarray
    top: np.ndarray
    true: np.ndarray
    answered: np.ndarray  # (n,): which of all rows these are

    @property
    def chance(self) -> np.ndarray:
        """(m, L): probabilities that add up to 1 over the labels of the row."""
        return softmax(self.scores)

    @property
    def confidence(self) -> np.ndarray:
        """(m,): the chance of the top label."""
        return np.round(self.chance[np.arange(len(self.top)), self.top], _DIGITS)

    @property
    def right(self) -> np.ndarray:
        """(m,): 1 where the top label is a reference."""
        return (self.top == self.true).astype(float)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Probabilities (m, L) of scores that may be -inf."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def chances(answers: Sequence[Answer]) -> Chances:
    """Read `label_scores`; of labels with equal scores the first in order of their names is top."""
    answered = np.array([answer.prediction is not None for answer in answers])
    rows = [answer for answer in answers if answer.prediction is not None]
    found = [label_scores(answer) for answer in rows]
    columns = {name: i for i, name in enumerate(sorted({name for row in found for name in row}))}
    scores = np.full((len(rows), len(columns)), -np.inf)
    for i, row in enumerate(found):
        scores[i, [columns[name] for name in row]] = list(row.values())
    top = np.round(scores, _DIGITS).argmax(axis=1) if len(rows) else np.zeros(0, dtype=int)
    names = list(columns)
    true = [columns[_true(answer, names[t])] for answer, t in zip(rows, top, strict=True)]
    return Chances(scores, top, np.array(true, dtype=int), answered)


def _true(answer: Answer, top: str) -> str:
    references = [text.strip() for text in answer.references]
    if top in references:
        return top
    if references[0] not in answer.row["label_scores"]:
        raise UserError(f"id {answer.row['id']!r}: label_scores has no {references[0]!r}")
    return references[0]


def temperature(found: Chances) -> dict[str, Any]:
    """The temperature that would calibrate these very rows, and what they cost with and without.

    Scores divided by it have the least mean negative log-likelihood (Guo et al. 2017,
    arXiv:1706.04599). It is null where no temperature is best: all top labels are true, say. For
    information: one to be used is fitted on rows of its own.
    """
    rows = np.arange(len(found.true))
    shifted = found.scores - found.scores.max(axis=1, keepdims=True)
    finite = np.where(np.isinf(shifted), 0.0, shifted)
    of_true = shifted[rows, found.true]

    def slope(log_inverse: float) -> float:
        chance = softmax(shifted * np.exp(log_inverse))
        return float(((chance * finite).sum(axis=1) - of_true).mean())

    def cost(inverse: float) -> float:
        scaled = shifted * inverse
        return float((np.log(np.exp(scaled).sum(axis=1)) - scaled[rows, found.true]).mean())

    told = {"temperature": None, "nll": cost(1.0), "nll_calibrated": None}
    low, high = -np.log(_EXTREME), np.log(_EXTREME)
    if not slope(low) < 0 < slope(high):
        return told
    from scipy.optimize import brentq

    best = brentq(slope, low, high, xtol=1e-12)  # the cost is convex: its slope has one zero
    return told | {"temperature": float(np.exp(-best)), "nll_calibrated": cost(np.exp(best))}
