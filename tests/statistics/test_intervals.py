"""statistics.intervals: each against its reference implementation or its formula by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from instructune.statistics import intervals, resampling
from instructune.statistics.intervals import interval
from instructune.statistics.measures import SumMeasure


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def mean_of(scores) -> SumMeasure:
    return SumMeasure(np.column_stack([np.asarray(scores, float), np.ones(len(scores))]), mean)


def found_by(scores, bounds=(0.0, 1.0), clustered=False):
    measure = mean_of(scores)
    draws = resampling.bootstrap([measure], 10_000, seed=0)[0]
    left_out, value = resampling.jackknife(measure), float(np.mean(scores))
    return intervals.interval(draws, value, left_out, len(scores), bounds, clustered=clustered)


@pytest.mark.parametrize("shape", [(2, 1), (0.5, 4), (1, 1)])
def test_bca_agrees_with_scipy(shape):
    scores = np.random.default_rng(5).beta(*shape, size=80)
    low, high, method = found_by(scores)
    expected = scipy.stats.bootstrap(
        (scores,), np.mean, method="BCa", n_resamples=20_000, rng=1
    ).confidence_interval
    assert method == "bca"
    assert (low, high) == pytest.approx(tuple(expected), abs=0.006)


def test_bca_leans_to_the_long_tail_where_the_percentiles_do_not():
    scores = np.random.default_rng(3).exponential(size=40) ** 2 / 50
    low, high, _ = found_by(scores)
    draws = resampling.bootstrap([mean_of(scores)], 10_000, seed=0)[0]
    by_percentiles = np.quantile(draws, [0.025, 0.975])
    assert low > by_percentiles[0] + 0.001
    assert high > by_percentiles[1] + 0.002


def test_bca_by_hand():
    draws = np.arange(1000) / 1000
    left_out = np.array([0.5, 0.5, 0.5, 0.1])
    low, high = intervals.bca_interval(draws, 0.4, left_out, (0.0, 1.0))
    normal = scipy.stats.norm
    bias = normal.ppf((400 + 0.5) / 1000)
    apart = left_out.mean() - left_out
    skew = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
    levels = [normal.cdf(bias + (bias + z) / (1 - skew * (bias + z))) for z in (-1.95996, 1.95996)]
    assert (low, high) == pytest.approx(np.quantile(draws, levels), abs=1e-5)


def test_bca_of_a_value_beyond_all_draws_is_an_end_of_them():
    draws = np.linspace(0.2, 0.8, 500)
    left_out = np.array([0.5, 0.4])
    low, high = intervals.bca_interval(draws, 0.9, left_out, (0.0, 1.0))
    assert 0.7 < low < high <= 0.8


@pytest.mark.parametrize(("successes", "n"), [(37, 50), (0, 1), (1, 1), (0, 300), (299, 300)])
def test_wilson_interval(successes, n):
    expected = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    found = intervals.wilson_interval(successes, n)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_wilson_reference_vector():
    expected = (0.6044684273515116, 0.841284725064476)
    assert intervals.wilson_interval(37, 50) == pytest.approx(expected, abs=1e-9)


def test_bonett_price_by_hand():
    up, down = 13 / 42, 6 / 42
    half = 1.959963984540054 * math.sqrt((up + down - (up - down) ** 2) / 42)
    found = intervals.bonett_price_interval(12, 5, 40)
    assert found == pytest.approx((up - down - half, up - down + half), abs=1e-12)
    assert intervals.bonett_price_interval(5, 12, 40) == pytest.approx((-found[1], -found[0]))
    low, high = intervals.bonett_price_interval(0, 0, 40)
    assert -low == high == pytest.approx(0.0654, abs=1e-3)
    assert intervals.bonett_price_interval(1, 0, 1)[1] == 1.0


def test_the_jackknifes_error_of_a_mean_is_the_standard_error():
    scores = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1.0])
    found = intervals.jackknife_error(resampling.jackknife(mean_of(scores)))
    assert found == pytest.approx(0.15275252316519464, abs=1e-12)


def test_clusters_of_one_size_have_the_clustered_error_of_the_reference():
    scores = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1.0, 1, 0])
    clusters = np.repeat(np.arange(4), 3)
    table = np.array([[scores[clusters == c].sum(), 3.0] for c in range(4)])
    error = intervals.jackknife_error(resampling.jackknife(SumMeasure(table, mean)))
    apart = [(scores[clusters == c] - scores.mean()).sum() for c in range(4)]
    miller = math.sqrt(math.fsum(a * a for a in apart)) / len(scores)
    assert error == pytest.approx(miller * math.sqrt(4 / 3), abs=1e-12)  # times C / (C - 1)


def test_student_interval_of_a_mean_is_the_t_interval():
    scores = np.random.default_rng(0).random(12)
    low, high, method = found_by(scores, clustered=True)
    expected = scipy.stats.ttest_1samp(scores, 0).confidence_interval()
    assert method == "student"
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found_by(scores, bounds=(0.4, 0.6), clustered=True)[:2] == (0.4, 0.6)


@pytest.mark.parametrize("clustered", [False, True])
def test_without_spread_the_interval_is_wilsons_and_not_a_point(clustered):
    expected = scipy.stats.binomtest(25, 25).proportion_ci(method="wilson")
    low, high, method = found_by(np.ones(25), clustered=clustered)
    assert method == "wilson"
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    low, high, _ = found_by(np.zeros(25), clustered=clustered)
    assert (low, high) == pytest.approx((1 - expected.high, 1 - expected.low), abs=1e-12)
    low, high, method = found_by([0.5], clustered=clustered)
    assert (method, low, high) == ("wilson", pytest.approx(0.1033, abs=1e-4), 1 - low)


def test_without_spread_and_bounds_there_is_no_interval():
    assert found_by(np.ones(25), bounds=(0.0, math.inf)) is None


def test_equal_systems_have_a_delta_interval_by_the_share_of_unseen_rows():
    unseen = scipy.stats.binomtest(0, 40).proportion_ci(method="wilson").high
    found = intervals.unseen_interval(0.0, 40, (-1.0, 1.0))
    assert found == pytest.approx((-unseen, unseen), abs=1e-12)
    assert intervals.unseen_interval(1.0, 40, (-1.0, 1.0)) == pytest.approx((1 - 2 * unseen, 1.0))


def test_draws_without_a_value_are_left_out():
    draws = np.linspace(0.2, 0.8, 500)
    left_out = np.array([0.5, 0.4, np.nan])
    holes = np.insert(draws, [3, 100], np.nan)
    given = [np.array([0.5, 0.4]), 30, (0.0, 1.0)]
    assert intervals.interval(holes, 0.5, left_out, *given[1:], clustered=False) == (
        intervals.interval(draws, 0.5, *given, clustered=False)
    )
    nothing = np.full(5, np.nan)
    assert intervals.interval(nothing, 0.5, left_out, 30, (0.0, 1.0), clustered=False) is None


def test_infinite_draws_have_no_interval():
    draws, left_out = np.array([1.0, 2.0, np.inf]), np.array([1.0, 2.0])
    bounds = (0.0, float("inf"))
    assert interval(draws, 1.5, left_out, 2, bounds, clustered=False) is None
    assert interval(draws[:2], 1.5, np.array([1.0, np.inf]), 2, bounds, clustered=False) is None
