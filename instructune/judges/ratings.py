"""Bradley-Terry ratings: who beat whom in, strengths that explain it out, with intervals.

P(i beats j) = p_i / (p_i + p_j) (Bradley & Terry 1952, Biometrika 39), fitted by the
minorisation-maximisation of Hunter (2004), Annals of Statistics 32(1), algorithm (3). A tie is
half a win for each. Ratings are on the scale of chess, 1000 on average: 400 more are odds of 10
to 1. Without a prior a system that never lost has no finite rating; the prior is one tie for each
two systems that met, which takes part in the resampling so that intervals know of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from instructune.errors import UserError
from instructune.statistics.resampling import resampled_counts
from instructune.statistics.tables import on_grid

CENTRE, SPREAD = 1000.0, 400 / math.log(10)
_STEPS = 100_000
_CLOSE, _DRAWN = 1e-9, 1e-6  # changes of log strength at which a fit, or that of a draw, stops
_PRIOR_STREAM = 7  # apart from the streams of statistics.py


def fit(wins: np.ndarray, start: np.ndarray | None = None, close: float = _CLOSE) -> np.ndarray:
    """Log strengths (..., k), 0 on average, from wins (..., k, k) of the row over the column.

    What has no finite fit, a system without a win or a loss, must not be asked.
    """
    k = wins.shape[-1]
    won, games = wins.sum(-1).reshape(-1, k), wins + np.swapaxes(wins, -1, -2)
    games = games.reshape(-1, k, k)
    logs = np.zeros(won.shape) if start is None else np.broadcast_to(start, won.shape).copy()
    left = np.arange(len(won))
    for _ in range(_STEPS):
        strength = np.exp(logs[left])
        shares = games[left] / (strength[:, :, None] + strength[:, None, :])
        new = np.log(won[left] / shares.sum(-1))
        new -= new.mean(-1, keepdims=True)
        moved = np.abs(new - logs[left]).max(-1) >= close
        logs[left] = new
        left = left[moved]  # each stops by itself, so that none depends on its neighbours
        if not len(left):
            break
    return logs.reshape(wins.shape[:-1])


def check_connected(names: Sequence[str], wins: np.ndarray) -> None:
    """Refuse systems that no chain of comparisons links: nothing tells how they compare."""
    met = (wins + wins.T) > 0
    groups: list[list[str]] = []
    left = list(range(len(names)))
    while left:
        group, edge = {left[0]}, [left[0]]
        while edge:
            near = {int(j) for i in edge for j in np.flatnonzero(met[i])} - group
            group |= near
            edge = list(near)
        groups.append([names[i] for i in sorted(group)])
        left = [i for i in left if i not in group]
    if len(groups) > 1:
        told = "; ".join(", ".join(group) for group in groups)
        raise UserError(
            f"no comparison links these groups of systems, so they have no common rating: {told}",
            hint="judge a pair across the groups, or rate each group by itself",
        )


def rate(
    names: Sequence[str], tables: np.ndarray, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Ratings (k,) and their 95 % intervals (k, 2) from wins (n, k, k), one table a cluster."""
    n, k = tables.shape[:2]
    wins = tables.sum(0)
    check_connected(names, wins)
    met = [(i, j) for i, j in combinations(range(k), 2) if wins[i, j] + wins[j, i]]
    prior = np.zeros((len(met), k, k))
    for place, (i, j) in enumerate(met):
        prior[place, i, j] = prior[place, j, i] = 0.5
    point = fit(wins + prior.sum(0))
    flat = on_grid(tables.reshape(n, k * k), n)
    random = np.random.default_rng((seed, _PRIOR_STREAM))
    draws = []
    for counts in resampled_counts(n, resamples, seed):
        weights = random.standard_exponential((len(counts), len(met)))
        ties = (weights[:, :, None, None] * prior).sum(1)  # in one order, whatever the machine
        draws.append(fit((counts @ flat).reshape(-1, k, k) + ties, point, _DRAWN))
    low, high = np.quantile(np.concatenate(draws), [0.025, 0.975], axis=0)
    bounds = np.stack([np.minimum(low, point), np.maximum(high, point)], axis=1)
    return CENTRE + SPREAD * point, CENTRE + SPREAD * bounds
