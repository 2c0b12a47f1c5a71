"""What metrics over classes share: counts of labels, their ratios, the confusion matrix."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._ratios import ratio

MOST_LABELS = 1000
MOST_OUTSIDE = 50  # labels outside the references with a column of their own
_DENSE = 200_000  # numbers; below it, importing scipy.sparse costs more than zeros do


def reference_labels(answers: Sequence[Answer]) -> list[str]:
    """The labels of all references, sorted; more than 1,000 are no classes."""
    labels = sorted({text.strip() for answer in answers for text in answer.references})
    if len(labels) > MOST_LABELS:
        raise UserError(
            f"class metrics are for a closed set of labels, found {len(labels)} in the references",
            hint="use exact_match or token_f1",
        )
    return labels


def true_and_predicted(answer: Answer) -> tuple[str, str | None]:
    """The row's true and predicted label; of several references, the one that was met."""
    references = [text.strip() for text in answer.references]
    predicted = None if answer.prediction is None else answer.prediction.strip()
    return (predicted if predicted in references else references[0]), predicted  # type: ignore[return-value]


def label_statistics(answers: Sequence[Answer]) -> Any:
    """(n, 3 C + 1) for C reference labels: hits, truths and predictions by label, then `outside`.

    The mean of `outside` is the number of predicted labels that no reference has; the rows of
    such a label share its 1 among them. To count which labels occur in a resample instead would
    lose about a third of those predicted once, and move every interval up. An error predicts no
    label.
    """
    labels = {label: i for i, label in enumerate(reference_labels(answers))}
    pairs = [true_and_predicted(answer) for answer in answers]
    size, cells = len(labels), []
    strangers = []
    for row, (true, predicted) in enumerate(pairs):
        cells.append((row, size + labels[true], 1.0))
        if predicted == true:
            cells.append((row, labels[true], 1.0))
        if predicted in labels:
            cells.append((row, 2 * size + labels[predicted], 1.0))
        elif predicted is not None:
            strangers.append((row, predicted))
    shares = outside_shares(answers, strangers)
    cells += [(row, 3 * size, share) for (row, _), share in zip(strangers, shares, strict=True)]
    rows, columns, values = (np.array(part) for part in zip(*cells, strict=True))
    shape = (len(pairs), 3 * size + 1)
    if shape[0] * shape[1] > _DENSE:
        from scipy.sparse import csr_array

        return csr_array((values, (rows, columns)), shape=shape)
    table = np.zeros(shape)
    table[rows, columns] = values
    return table


def outside_shares(
    answers: Sequence[Answer], strangers: Sequence[tuple[int, str | None]]
) -> list[float]:
    """What each (row, outside label) adds to `outside`: the mean over ids, each one, is exact."""
    samples = Counter(answer.row.get("id") for answer in answers)
    weights = [1 / samples[answer.row.get("id")] for answer in answers]
    by_label: dict[str | None, list[float]] = {}
    for row, label in strangers:
        by_label.setdefault(label, []).append(weights[row])
    whole = math.fsum(weights)
    shares = {label: whole / math.fsum(parts) for label, parts in by_label.items()}
    return [shares[label] for _, label in strangers]


class Ratios(NamedTuple):
    """Precision, recall and F1 by label (..., C), 0 where undefined, and how to average them."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    truths: np.ndarray
    n_labels: np.ndarray  # (...): labels in truth or prediction, those outside included
    hit_rate: np.ndarray  # (...): micro average of all three, as each row has one label

    def macro(self, ratios: np.ndarray) -> np.ndarray:
        """The mean over all labels; a label outside the references counts 0."""
        return ratios.sum(axis=-1) / self.n_labels

    def weighted(self, ratios: np.ndarray) -> np.ndarray:
        """The mean weighted by how often each label is true."""
        return (ratios * self.truths).sum(axis=-1) / self.truths.sum(axis=-1)


def ratios(sums: np.ndarray) -> Ratios:
    """Ratios of weighted sums (..., 3 C + 1) of `label_statistics`."""
    size = (sums.shape[-1] - 1) // 3
    hits, truths, predictions = (sums[..., i * size : (i + 1) * size] for i in range(3))
    total = truths.sum(axis=-1)
    present = (truths + predictions > 0).sum(axis=-1)
    return Ratios(
        ratio(hits, predictions),
        ratio(hits, truths),
        ratio(2 * hits, truths + predictions),
        truths,
        present + sums[..., -1] / total,
        hits.sum(axis=-1) / total,
    )


def class_report(answers: Sequence[Answer], sums: np.ndarray) -> dict[str, Any]:
    """Averages, a line a label, and the confusion matrix (true labels down, predicted across)."""
    labels, found = reference_labels(answers), ratios(sums)
    table = confusion(answers, labels)
    support = np.array(table["counts"]).sum(axis=1).tolist()
    names = ("precision", "recall", "f1")
    parts = [getattr(found, name) for name in names]
    return {
        "micro": float(found.hit_rate),
        "macro": {n: float(found.macro(p)) for n, p in zip(names, parts, strict=True)},
        "weighted": {n: float(found.weighted(p)) for n, p in zip(names, parts, strict=True)},
        "per_class": {
            label: {n: float(p[i]) for n, p in zip(names, parts, strict=True)}
            | {"support": support[i]}
            for i, label in enumerate(labels)
        },
        "confusion": table,
    }


def confusion(answers: Sequence[Answer], labels: list[str]) -> dict[str, Any]:
    """Counts of rows by true and predicted label.

    Columns are the true labels, then predicted labels outside them (one column `(other)` for
    more than 50), then `(error)` where there are rows without a prediction.
    """
    pairs = [true_and_predicted(answer) for answer in answers]
    outside = sorted({p for _, p in pairs if p is not None} - set(labels))
    grouped = len(outside) > MOST_OUTSIDE
    place = {label: i for i, label in enumerate(labels)}
    place |= {label: len(labels) + (0 if grouped else i) for i, label in enumerate(outside)}
    errors = ["(error)"] if any(p is None for _, p in pairs) else []
    columns = [*labels, *(["(other)"] if grouped else outside), *errors]
    counts = Counter((place[t], len(columns) - 1 if p is None else place[p]) for t, p in pairs)
    return {
        "rows": labels,
        "columns": columns,
        "counts": [[counts[i, j] for j in range(len(columns))] for i in range(len(labels))],
    }
