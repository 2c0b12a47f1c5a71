"""statistics.significance: paired tests against enumeration and references, adjusted p-values."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from instructune.statistics import significance
from instructune.statistics.measures import RowMeasure, SumMeasure


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def table_of(scores) -> np.ndarray:
    return np.column_stack([np.asarray(scores, dtype=float), np.ones(len(scores))])


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
    found = significance.sign_flip_test(np.array(differences), seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(brute_force_sign_flip(differences), abs=1e-12)


def test_sign_flip_reference_vector():
    a = np.array([1, 0, 1, 1, 0, 1, 1, 1, 0, 1.0])
    b = np.array([1, 0, 0, 1, 0, 1, 0, 1, 0, 0.0])
    assert significance.sign_flip_test(a - b, seed=0) == (0.25, "exact")


def test_sign_flip_of_many_equal_differences_is_the_exact_sign_test():
    differences = np.repeat([1.0, -1.0, 0.0], [1240, 1160, 5000])
    expected = scipy.stats.binomtest(1240, 2400).pvalue
    found = significance.sign_flip_test(differences, seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(expected, rel=1e-9)


def test_sign_flip_of_many_differences_is_drawn_and_never_0():
    random = np.random.default_rng(2)
    differences = random.normal(0.08, 1, size=300)
    found = significance.sign_flip_test(differences, seed=0)
    expected = scipy.stats.permutation_test(
        (differences,), np.sum, permutation_type="samples", n_resamples=20_000, rng=1
    ).pvalue
    assert found.method == "10000"
    assert found.p == pytest.approx(expected, abs=0.02)
    assert significance.sign_flip_test(random.permutation(differences), seed=0) == found
    assert significance.sign_flip_test(np.abs(differences), seed=0).p == 1 / 10_001


def test_no_difference_has_p_1():
    assert significance.sign_flip_test(np.zeros(30), seed=0) == (1.0, "exact")
    table = np.ones((30, 2))
    assert significance.swap_test(SumMeasure(table, mean), SumMeasure(table, mean), seed=0) == (
        1.0,
        "exact",
    )


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
    found = significance.swap_test(
        SumMeasure(make(system), ratio), SumMeasure(make(baseline), ratio), seed=0
    )
    assert found.method == "exact"
    assert found.p == pytest.approx(brute_force_swap(system, baseline), abs=1e-12)


def test_swaps_of_many_clusters_are_drawn_and_agree_with_the_sign_flip():
    random = np.random.default_rng(4)
    system, baseline = table_of(random.random(200) + 0.05), table_of(random.random(200))
    swaps = significance.swap_test(SumMeasure(system, mean), SumMeasure(baseline, mean), seed=0)
    flips = significance.sign_flip_test(system[:, 0] - baseline[:, 0], seed=0)
    assert swaps.method == flips.method == "10000"
    assert swaps.p == pytest.approx(flips.p, abs=0.02)


def evaluated(system, baseline):
    """Both systems' rows as an evaluator of their weights sees them."""
    rows, n = np.concatenate([system, baseline]), len(system)
    return RowMeasure(lambda w: ratio(w @ rows), np.arange(2 * n), np.ones(2 * n), 2 * n)


@pytest.mark.parametrize("seed", range(3))
def test_swaps_of_a_metric_that_no_sums_carry(seed):
    random = np.random.default_rng(seed)
    system, baseline = random.integers(0, 3, size=(2, 9, 2)).astype(float)
    found = significance.row_swap_test(evaluated(system, baseline), seed=0)
    assert found.method == "exact"
    assert found.p == pytest.approx(brute_force_swap(system, baseline), abs=1e-12)
    system, baseline = random.integers(0, 3, size=(2, 60, 2)).astype(float)
    drawn = significance.row_swap_test(evaluated(system, baseline), seed=0)
    sums = significance.swap_test(SumMeasure(system, ratio), SumMeasure(baseline, ratio), seed=0)
    assert drawn.method == sums.method == "10000"
    assert drawn.p == pytest.approx(sums.p, abs=0.02)


def test_a_swap_without_a_value_is_evidence_of_nothing():
    def undefined(weights):
        return np.where(weights[:, :30].sum(axis=1) == 30, 1.0, np.nan)

    both = RowMeasure(undefined, np.arange(60), np.ones(60), 60)
    assert significance.row_swap_test(both, seed=0).p == 1.0


def test_fewer_permutations_for_many_units():
    assert significance.permutations(20_000) == 10_000
    assert significance.permutations(20_001) == 2_000
    random = np.random.default_rng(0)
    assert significance.sign_flip_test(random.normal(size=20_001), seed=0).method == "2000"


def test_mcnemar_reference_vector():
    found = significance.mcnemar_test(5, 12)
    assert found == (pytest.approx(0.143463134765625, abs=1e-12), "exact")


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (7, 7), (3, 40), (600, 520)])
def test_mcnemar_agrees_with_statsmodels_and_with_the_sign_flip(gained, lost):
    found = significance.mcnemar_test(gained, lost).p
    expected = mcnemar([[5, gained], [lost, 5]], exact=True).pvalue if gained + lost else 1.0
    assert found == pytest.approx(expected, rel=1e-9)
    differences = np.repeat([1.0, -1.0, 0.0], [gained, lost, 10])
    assert found == pytest.approx(significance.sign_flip_test(differences, 0).p, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_agree_with_statsmodels(p_values):
    for method, name in (("holm", "holm"), ("bh", "fdr_bh")):
        expected = multipletests(p_values, method=name)[1]
        assert significance.adjusted(p_values, method) == pytest.approx(list(expected), abs=1e-12)


def test_adjusted_by_hand():
    assert significance.adjusted([0.04, 0.01, 0.03], "holm") == pytest.approx([0.06, 0.03, 0.06])
    assert significance.adjusted([0.04, 0.01, 0.03], "bh") == pytest.approx([0.04, 0.03, 0.04])
    assert significance.adjusted([0.2], "holm") == [0.2]
