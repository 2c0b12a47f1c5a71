"""What metrics over extracted spans and triples share: matches by type, their sums, the ratios."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._table import Table, filled

MOST_TYPES = 1000
_HEAD = 5  # columns before those by type: hits, predicted, true, rows, outside


class Matched(NamedTuple):
    """What a row's references and prediction hold, by type, and what is right of it.

    `hits`: credit, the type it is in the references, the type it was given. `read`: whether the
    prediction could be read at all.
    """

    true: list[str]
    predicted: list[str]
    hits: list[tuple[float, str, str]]
    read: bool = True


class Extraction(NamedTuple):
    """All rows, and the types that any of their references has."""

    rows: list[Matched]
    types: list[str]


def extraction(rows: list[Matched], types: Iterable[str]) -> Extraction:
    """The types sorted; more than 1,000 are none."""
    found = sorted(set(types))
    if len(found) > MOST_TYPES:
        raise UserError(f"the references have {len(found)} types, more than {MOST_TYPES:,}")
    return Extraction(rows, found)


def table(answers: Sequence[Answer], found: Extraction) -> Table:
    """(n, 5 + 4 C) for C types of the references: hits, predicted, true, rows, outside, by type.

    By type there are hits by true type, hits by given type, predicted and true. The mean of
    `outside` is the number of predicted types that no reference has, shared among their rows.
    """
    size, place = len(found.types), {kind: _HEAD + i for i, kind in enumerate(found.types)}
    shares = _outside_shares(answers, found.rows, place)
    cells: list[tuple[int, int, float]] = []
    for i, row in enumerate(found.rows):
        sums = {1: float(len(row.predicted)), 2: float(len(row.true)), 3: 1.0, 4: shares[i]}
        counted = [(0, credit) for credit, _, _ in row.hits]
        counted += [(place[true], credit) for credit, true, _ in row.hits]
        counted += [(place[k] + size, credit) for credit, _, k in row.hits if k in place]
        counted += [(place[kind] + 2 * size, 1.0) for kind in row.predicted if kind in place]
        counted += [(place[kind] + 3 * size, 1.0) for kind in row.true]
        for column, amount in counted:
            sums[column] = sums.get(column, 0.0) + amount
        cells += [(i, column, amount) for column, amount in sums.items() if amount]
    return filled(cells, (len(found.rows), _HEAD + 4 * size))


def _outside_shares(
    answers: Sequence[Answer], rows: Sequence[Matched], known: dict[str, int]
) -> list[float]:
    """What each row adds to `outside`, so that the mean over ids, each one unit, is exact."""
    samples = Counter(answer.row.get("id") for answer in answers)
    weights = [1 / samples[answer.row.get("id")] for answer in answers]
    kinds = [sorted(set(row.predicted) - set(known)) for row in rows]
    parts: dict[str, list[float]] = {}
    for weight, outside in zip(weights, kinds, strict=True):
        for kind in outside:
            parts.setdefault(kind, []).append(weight)
    whole = math.fsum(weights)
    shares = {kind: whole / math.fsum(part) for kind, part in parts.items()}
    return [math.fsum(shares[kind] for kind in outside) for outside in kinds]


class Ratios(NamedTuple):
    """Precision, recall and F1; 0 where undefined."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def micro(sums: np.ndarray) -> Ratios:
    """Of all that was found, whatever its type."""
    hits, predicted, true = (sums[..., i] for i in range(3))
    return _ratios(hits, hits, predicted, true)


def by_type(sums: np.ndarray) -> Ratios:
    """Of each type (..., C)."""
    size = (sums.shape[-1] - _HEAD) // 4
    blocks = (sums[..., _HEAD + i * size : _HEAD + (i + 1) * size] for i in range(4))
    return _ratios(*blocks)


def macro(sums: np.ndarray) -> Ratios:
    """The mean over types in references or predictions; one that no reference has counts 0."""
    size = (sums.shape[-1] - _HEAD) // 4
    seen = sums[..., _HEAD + 2 * size :]
    present = (seen[..., :size] + seen[..., size:] > 0).sum(axis=-1)
    count = present + sums[..., 4] / sums[..., 3]
    means = (_over(part.sum(axis=-1), np.asarray(count)) for part in by_type(sums))
    return Ratios(*means)


def _ratios(
    true_hits: np.ndarray, given_hits: np.ndarray, predicted: np.ndarray, true: np.ndarray
) -> Ratios:
    precision, recall = _over(given_hits, predicted), _over(true_hits, true)
    return Ratios(precision, recall, _over(2 * precision * recall, precision + recall))


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)


def report(found: Extraction, sums: np.ndarray) -> dict[str, Any]:
    """Both averages, a line a type, types that no reference has, and answers that can't be read.

    Counts by type hold all samples of an id.
    """
    rows, types = found
    ratios = by_type(sums)
    true = Counter(kind for row in rows for kind in row.true)
    given = Counter(kind for row in rows for kind in row.predicted)
    return {
        "micro": _told(micro(sums)),
        "macro": _told(macro(sums)),
        "per_type": {
            kind: _told(Ratios(*(part[i] for part in ratios)))
            | {"true": true[kind], "predicted": given[kind]}
            for i, kind in enumerate(types)
        },
        "outside": {kind: given[kind] for kind in sorted(set(given) - set(types))},
        "unread": sum(not row.read for row in rows),
    }


def _told(ratios: Ratios) -> dict[str, float]:
    return {name: float(value) for name, value in ratios._asdict().items()}
