"""statistics: exact sums, the shared bootstrap, intervals and paired tests against references."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from instructune import statistics
from instructune.statistics import Measure

numbers = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def table_of(scores) -> np.ndarray:
    return np.column_stack([np.asarray(scores, dtype=float), np.ones(len(scores))])


@given(st.lists(numbers, min_size=1, max_size=50), st.randoms())
def test_exact_sums_do_not_depend_on_order(values, random):
    shuffled = random.sample(values, len(values))
    total = float(sum(map(Fraction, values)))
    for column in (values, shuffled):
        dense = np.array(column)[:, None]
        assert statistics.exact_sums(dense).tolist() == [total]
        assert statistics.exact_sums(csr_array(dense)).tolist() == [total]


@given(st.lists(numbers, min_size=1, max_size=30), st.integers(1, 1000))
def test_on_a_grid_weighted_sums_are_exact_in_any_order(values, weight):
    table = np.array(values)[:, None]
    grid = statistics.on_grid(table, weight * len(values))
    exact = sum(Fraction(v) * weight for v in grid[:, 0])
    for order in (grid[:, 0], grid[::-1, 0], np.sort(grid[:, 0])):
        total = 0.0
        for value in order:
            total += weight * value
        assert Fraction(total) == exact
    assert np.abs(grid - table).max() <= np.abs(table).max() * weight * len(values) * 2.0**-52


def test_a_grid_leaves_whole_numbers_alone():
    table = np.array([[1.0, 0.0], [3.0, 1e6]])
    assert statistics.on_grid(table, 1_000_000).tolist() == table.tolist()
    assert statistics.on_grid(np.zeros((2, 1)), 5).tolist() == [[0.0], [0.0]]


def test_cluster_means_average_samples_within_an_id():
    table = np.array([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 1.0]])
    starts = np.array([0, 3])
    expected = [[1 / 3, 1.0], [1.0, 1.0]]
    assert statistics.cluster_means(table, starts).tolist() == expected
    assert statistics.cluster_means(csr_array(table), starts).toarray().tolist() == expected


def test_resampled_counts_are_draws_with_replacement():
    counts = np.concatenate(list(statistics.resampled_counts(50, 4000, seed=3)))
    assert counts.shape == (4000, 50)
    assert (counts.sum(axis=1) == 50).all()
    assert abs(counts.mean(axis=0) - 1).max() < 0.1
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.02)


def test_draws_depend_on_the_seed_and_not_on_the_size_of_chunks(monkeypatch):
    whole = np.concatenate(list(statistics.resampled_counts(7, 300, seed=1)))
    monkeypatch.setattr(statistics, "_CELLS", 40)
    chunks = list(statistics.resampled_counts(7, 300, seed=1))
    assert max(map(len, chunks)) == 5
    assert (np.concatenate(chunks) == whole).all()
    other = np.concatenate(list(statistics.resampled_counts(7, 300, seed=2)))
    assert (other != whole).any()


def test_all_measures_share_one_draw():
    scores = np.random.default_rng(0).random(60)
    worse = Measure(table_of(scores - 0.25), mean)
    draws = statistics.bootstrap([Measure(table_of(scores), mean), worse], 500, seed=0)
    counts = np.concatenate(list(statistics.resampled_counts(60, 500, seed=0)))
    assert draws[0] == pytest.approx(counts @ scores / 60, abs=1e-12)
    assert draws[0] - draws[1] == pytest.approx(np.full(500, 0.25), abs=1e-12)


def test_bootstrap_agrees_with_scipy():
    scores = np.random.default_rng(5).beta(2, 1, size=80)
    draws = statistics.bootstrap([Measure(table_of(scores), mean)], 10_000, seed=0)[0]
    found, method = statistics.interval(draws, scores.mean(), 80, (0.0, 1.0))
    expected = scipy.stats.bootstrap(
        (scores,), np.mean, method="percentile", n_resamples=10_000, rng=1
    ).confidence_interval
    assert method == "percentile"
    assert found == pytest.approx(tuple(expected), abs=0.004)


def test_dense_and_sparse_tables_give_the_same_draws():
    table = np.random.default_rng(0).integers(0, 2, size=(40, 6)).astype(float)
    total = lambda sums: sums[..., 0] - sums[..., 5]  # noqa: E731
    both = [Measure(table, total), Measure(csr_array(table), total)]
    draws = statistics.bootstrap(both, 200, seed=0)
    assert (draws[0] == draws[1]).all()


def test_the_interval_covers_the_truth_about_95_times_in_100():
    random = np.random.default_rng(11)
    covered = 0
    for seed in range(300):
        scores = (random.random(60) < 0.7).astype(float)
        draws = statistics.bootstrap([Measure(table_of(scores), mean)], 400, seed)[0]
        (low, high), _ = statistics.interval(draws, scores.mean(), 60, (0.0, 1.0))
        covered += low <= 0.7 <= high
    assert 0.91 <= covered / 300 <= 0.98


def test_without_spread_the_interval_is_wilsons_and_not_a_point():
    draws = np.ones(100)
    expected = scipy.stats.binomtest(25, 25).proportion_ci(method="wilson")
    (low, high), method = statistics.interval(draws, 1.0, 25, (0.0, 1.0))
    assert method == "wilson"
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    (low, high), _ = statistics.interval(np.zeros(100), 0.0, 25, (0.0, 1.0))
    assert (low, high) == pytest.approx((1 - expected.high, 1 - expected.low), abs=1e-12)


def test_equal_systems_have_a_delta_interval_by_the_share_of_unseen_rows():
    unseen = scipy.stats.binomtest(0, 40).proportion_ci(method="wilson").high
    (low, high), method = statistics.interval(np.zeros(100), 0.0, 40, (-1.0, 1.0))
    assert method == "wilson"
    assert (low, high) == pytest.approx((-unseen, unseen), abs=1e-12)
    assert statistics.unseen_interval(1.0, 40, (-1.0, 1.0)) == pytest.approx((1 - 2 * unseen, 1.0))


@pytest.mark.parametrize(("successes", "n"), [(37, 50), (0, 1), (1, 1), (0, 300), (299, 300)])
def test_wilson_interval(successes, n):
    expected = scipy.stats.binomtest(successes, n).proportion_ci(method="wilson")
    found = statistics.wilson_interval(successes, n)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_wilson_reference_vector():
    expected = (0.6044684273515116, 0.841284725064476)
    assert statistics.wilson_interval(37, 50) == pytest.approx(expected, abs=1e-9)


def brute_force_sign_flip(differences) -> float:
    observed = abs(sum(differences))
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    return sum(total >= observed - 1e-9 for total in sums) / len(sums)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0, 1 / 3, -2 / 3, 0.25]), min_size=1, max_size=8))
def test_sign_flip_p_is_that_of_all_sign_patterns(differences):
    found = statistics.sign_flip_test(np.array(differences), seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(brute_force_sign_flip(differences), abs=1e-12)


def test_sign_flip_reference_vector():
    a = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1.0])
    b = np.array([1, 0, 0, 1, 0, 1, 0, 1, 0, 0.0])
    assert statistics.sign_flip_test(a - b, seed=0) == (0.25, "exact")


def test_sign_flip_of_many_equal_differences_is_the_exact_sign_test():
    differences = np.repeat([1.0, -1.0, 0.0], [1240, 1160, 5000])
    expected = scipy.stats.binomtest(1240, 2400).pvalue
    found = statistics.sign_flip_test(differences, seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_sign_flip_of_many_differences_is_drawn_and_never_0():
    random = np.random.default_rng(2)
    differences = random.normal(0.08, 1, size=300)
    found = statistics.sign_flip_test(differences, seed=0)
    expected = scipy.stats.permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue
    assert found.method == "10000"
    assert found.p == pytest.approx(expected, abs=0.02)
    assert statistics.sign_flip_test(random.permutation(differences), seed=0) == found
    assert statistics.sign_flip_test(np.abs(differences), seed=0).p == 1 / 10_001


def test_no_difference_has_p_1():
    assert statistics.sign_flip_test(np.zeros(30), seed=0) == (1.0, "exact")
    table = np.ones((30, 2))
    assert statistics.swap_test(table, table, mean, seed=0) == (1.0, "exact")


def ratio(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / (1 + sums[..., 1] ** 2)


def brute_force_swap(system, baseline) -> float:
    observed = abs(ratio(system.sum(axis=0)) - ratio(baseline.sum(axis=0)))
    found = []
    for swaps in itertools.product((False, True), repeat=len(system)):
        swapped = np.array(swaps)[:, None]
        first = np.where(swapped, baseline, system).sum(axis=0)
        second = np.where(swapped, system, baseline).sum(axis=0)
        found.append(abs(ratio(first) - ratio(second)) >= observed - 1e-12)
    return float(np.mean(found))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("make", [np.array, csr_array])
def test_swap_p_is_that_of_all_swaps(seed, make):
    random = np.random.default_rng(seed)
    system, baseline = random.integers(0, 3, size=(2, 9, 2)).astype(float)
    found = statistics.swap_test(make(system), make(baseline), ratio, seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(brute_force_swap(system, baseline), abs=1e-12)


def test_swaps_of_many_clusters_are_drawn_and_agree_with_the_sign_flip():
    random = np.random.default_rng(4)
    system, baseline = table_of(random.random(200) + 0.05), table_of(random.random(200))
    swaps = statistics.swap_test(system, baseline, mean, seed=0)
    flips = statistics.sign_flip_test(system[:, 0] - baseline[:, 0], seed=0)
    assert swaps.method == flips.method == "10000"
    assert swaps.p == pytest.approx(flips.p, abs=0.02)


def test_fewer_resamples_for_many_rows():
    assert statistics.default_resamples(20_000) == 10_000
    assert statistics.default_resamples(20_001) == 2_000
