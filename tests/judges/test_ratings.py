"""ratings: the published fit of a published table, closed forms, and what has no rating."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from instructune.errors import UserError
from instructune.judges.ratings import CENTRE, SPREAD, check_connected, fit, rate

# American League 1987 (Agresti, Categorical Data Analysis, table of its Bradley-Terry example)
LEAGUE = np.array(
    [
        [0, 7, 9, 7, 7, 9, 11],
        [6, 0, 7, 5, 11, 9, 9],
        [4, 6, 0, 7, 7, 8, 12],
        [6, 8, 6, 0, 6, 7, 10],
        [6, 2, 6, 7, 0, 7, 12],
        [4, 4, 5, 6, 6, 0, 6],
        [2, 4, 1, 3, 1, 7, 0],
    ],
    dtype=float,
)


def test_the_published_league_is_fitted():
    """Log strengths above Baltimore's, as Agresti prints them."""
    found = fit(LEAGUE)
    assert np.round(found - found[-1], 2).tolist() == [1.58, 1.44, 1.29, 1.25, 1.11, 0.68, 0.0]
    assert abs(found.sum()) < 1e-9


def test_two_systems_have_a_closed_form():
    found = fit(np.array([[0, 30.5], [9.5, 0]]))
    assert found[0] - found[1] == pytest.approx(np.log(30.5 / 9.5), abs=1e-9)


@settings(max_examples=20)
@given(st.lists(st.integers(1, 9), min_size=12, max_size=12))
def test_no_other_strengths_explain_the_results_better(numbers):
    wins = np.zeros((4, 4))
    wins[~np.eye(4, dtype=bool)] = numbers

    def loss(free):
        logs = np.append(free, 0.0)
        return (wins * np.logaddexp(0, logs[None, :] - logs[:, None])).sum()

    best = np.append(minimize(loss, np.zeros(3), tol=1e-12).x, 0.0)
    np.testing.assert_allclose(fit(wins), best - best.mean(), atol=1e-4)


def test_fits_do_not_depend_on_their_neighbours():
    other = np.array([[0, 1, 8], [2, 0, 1], [1, 9, 0]], dtype=float)
    hard = np.array([[0, 99, 99], [0.01, 0, 50], [0.01, 0.01, 0]])
    together = fit(np.stack([other, hard]))
    assert (together[0] == fit(other)).all()
    assert (together[1] == fit(hard)).all()


def games(*results):
    """A cluster for each (winner, loser)."""
    tables = np.zeros((len(results), 3, 3))
    for table, (winner, loser) in zip(tables, results, strict=True):
        table[winner, loser] = 1
    return tables


def test_ratings_are_on_the_scale_of_chess():
    results = [(0, 1)] * 30 + [(1, 0)] * 10 + [(1, 2)] * 30 + [(2, 1)] * 10
    values, bounds = rate("abc", games(*results), 500, 0)
    gap = SPREAD * np.log(30.5 / 10.5)  # a tie for each two that met
    np.testing.assert_allclose(values, [CENTRE + gap, CENTRE, CENTRE - gap], atol=1e-6)
    assert SPREAD * np.log(10) == pytest.approx(400)
    assert (bounds[:, 0] < values).all()
    assert (values < bounds[:, 1]).all()
    assert 50 < bounds[0, 1] - bounds[0, 0] < 300


def test_a_system_that_never_lost_has_a_finite_rating_and_a_wide_interval():
    values, bounds = rate("abc", games(*[(0, 1)] * 20, *[(1, 2)] * 20), 500, 0)
    assert np.isfinite(bounds).all()
    assert values[0] > values[1] > values[2]
    assert (bounds[0, 1] - bounds[0, 0]) > 200


def test_intervals_cover_the_truth_as_often_as_they_say():
    """95 % of 200 experiments, within 3 standard errors (and the prior's pull inward)."""
    truth = np.array([0.8, 0.0, -0.8])
    random = np.random.default_rng(3)
    met = [(0, 1), (1, 2), (0, 2)] * 40
    hits = 0
    for trial in range(200):
        chances = [1 / (1 + np.exp(truth[j] - truth[i])) for i, j in met]
        won = random.random(len(met)) < chances
        results = [(i, j) if w else (j, i) for (i, j), w in zip(met, won, strict=True)]
        _, bounds = rate("abc", games(*results), 200, trial)
        hits += (bounds[0] >= (CENTRE + SPREAD * truth[0])).tolist() == [False, True]
    assert abs(hits / 200 - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 200)


def test_groups_that_never_met_have_no_common_rating():
    wins = np.zeros((4, 4))
    wins[0, 1] = wins[3, 2] = 5
    with pytest.raises(UserError, match="no common rating: a, b; c, d"):
        check_connected("abcd", wins)
    wins[1, 3] = 0.5
    check_connected("abcd", wins)
