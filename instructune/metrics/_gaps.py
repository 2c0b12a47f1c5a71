"""Differences between groups of people: rates by the value of a field, and how far they part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.gates import spelled
from instructune.evaluating.predictions import Answer


def groups(answers: Sequence[Answer], by: str) -> list[str]:
    """The group of each row, by the field `by`; two groups or more."""
    found = []
    for answer in answers:
        if by not in answer.row:
            raise UserError(f"has no field {by!r}", where=f"id {answer.row['id']!r}")
        found.append(spelled(answer.row[by]))
    if len(set(found)) < 2:
        raise UserError(f"all rows have the same {by!r}, so there is no gap between groups")
    return found


def rates_table(
    answers: Sequence[Answer], by: str, counted: Sequence[Sequence[tuple[float, float]]]
) -> np.ndarray:
    """(n, 2 R G): for each of R rates and G groups, sorted, what it counts and out of how many.

    `counted` holds R pairs a row: what the row adds to both.
    """
    named = groups(answers, by)
    order = {name: i for i, name in enumerate(sorted(set(named)))}
    size, rates = len(order), len(counted[0])
    table = np.zeros((len(answers), rates, size, 2))
    for row, (name, pairs) in enumerate(zip(named, counted, strict=True)):
        table[row, :, order[name]] = pairs
    return table.reshape(len(answers), -1)


def rates(sums: np.ndarray, count: int) -> np.ndarray:
    """(..., R, G) of sums of a `rates_table` with `count` rates; NaN where nothing is counted."""
    parts = sums.reshape(*sums.shape[:-1], count, -1, 2)
    whole = parts[..., 1]
    return np.divide(parts[..., 0], whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def widest(found: np.ndarray) -> np.ndarray:
    """The largest less the smallest over the last axis, groups without rows left out."""
    low = np.where(np.isnan(found), np.inf, found).min(-1)
    high = np.where(np.isnan(found), -np.inf, found).max(-1)
    return np.where(high >= low, high - low, 0.0)


def by_name(answers: Sequence[Answer], by: str, found: np.ndarray) -> dict[str, float]:
    """The rates (G,) by group."""
    return dict(zip(sorted(set(groups(answers, by))), found.tolist(), strict=True))
