"""What metrics over lists of labels share: the row's true and predicted sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._labels import MOST_LABELS, outside_shares


class Sets(NamedTuple):
    """A row's true labels and the predicted ones, `None` on an error."""

    true: frozenset[str]
    predicted: frozenset[str] | None


def label_sets(answer: Answer) -> Sets:
    """Labels without surrounding white space; of several references the nearest, the first of such.

    Nearest is the one with the fewest labels that only one side has.
    """
    references = [_stripped(answer, labels) for labels in answer.references]
    if answer.prediction is None:
        return Sets(references[0], None)
    predicted = _stripped(answer, answer.prediction)
    return Sets(min(references, key=lambda true: len(true ^ predicted)), predicted)


def _stripped(answer: Answer, labels: Sequence[str]) -> frozenset[str]:
    if not all(isinstance(label, str) for label in labels):
        raise UserError(f"id {answer.row['id']!r}: labels must be strings, got {labels!r}")
    return frozenset(label.strip() for label in labels)


def reference_labels(answers: Sequence[Answer]) -> list[str]:
    """The labels of all references, sorted; more than 1,000 are no classes."""
    found = {label for a in answers for labels in a.references for label in _stripped(a, labels)}
    if len(found) > MOST_LABELS:
        raise UserError(
            f"class metrics are for a closed set of labels, found {len(found)} in the references",
            hint="use subset_accuracy",
        )
    return sorted(found)


def set_statistics(answers: Sequence[Answer]) -> np.ndarray:
    """(n, 3 C + 4): hits, truths and predictions by label, then `outside` and numbers a row.

    `outside` is as in `label_statistics`; the numbers are the predicted labels that no reference
    has, the row's own F1, and 1. An error predicts no label, but where none is true a label of its
    own: to fail is not to find nothing.
    """
    place = {label: i for i, label in enumerate(reference_labels(answers))}
    size = len(place)
    table = np.zeros((len(answers), 3 * size + 4))
    strangers: list[tuple[int, str | None]] = []
    for row, (true, found) in enumerate(map(label_sets, answers)):
        predicted: frozenset[str] = found or frozenset()
        columns = [size + place[label] for label in true]
        columns += [place[label] for label in true & predicted]
        columns += [2 * size + place[label] for label in predicted if label in place]
        table[row, columns] = 1.0
        outside: list[str | None] = [label for label in predicted if label not in place]
        if found is None and not true:
            outside = [None]
        strangers += [(row, label) for label in outside]
        table[row, -3:] = len(outside), _f1(true, found), 1.0
    for (row, _), share in zip(strangers, outside_shares(answers, strangers), strict=True):
        table[row, -4] += share
    return table


def _f1(true: frozenset[str], predicted: frozenset[str] | None) -> float:
    """The row's F1; scikit-learn's is 0 where both are empty, ours 1: nothing was to be found."""
    if predicted is None:
        return 0.0
    if not true and not predicted:
        return 1.0
    return 2 * len(true & predicted) / (len(true) + len(predicted))


class SetCounts(NamedTuple):
    """Weighted sums (..., 3 C + 4) of `set_statistics`, taken apart."""

    hits: np.ndarray
    truths: np.ndarray
    predictions: np.ndarray
    n_outside: np.ndarray  # (...): different labels that no reference has
    outside: np.ndarray  # (...): how often they are predicted
    rows_f1: np.ndarray
    rows: np.ndarray


def counts_of(sums: np.ndarray) -> SetCounts:
    """The parts of the sums."""
    size = (sums.shape[-1] - 4) // 3
    hits, truths, predictions = (sums[..., i * size : (i + 1) * size] for i in range(3))
    shares, outside, rows_f1, rows = (sums[..., -i] for i in (4, 3, 2, 1))
    return SetCounts(hits, truths, predictions, shares / rows, outside, rows_f1, rows)
