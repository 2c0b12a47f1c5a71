"""What the estimators promise, simulated: intervals cover, tests raise few false alarms.

Where coverage can be computed exactly, the simulation has to match it within 3 standard errors of
its own; a simulation of 2,000 has one of 0.5 points.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from instructune.statistics import intervals, resampling, significance
from instructune.statistics.measures import SumMeasure

RUNS = 2000


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def three_errors(share: float, runs: int = RUNS) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def share(hits) -> float:
    return float(np.mean(list(hits)))


@pytest.mark.parametrize(
    ("n", "p", "exact"),
    [
        (10, 0.5, 0.9785156),
        (10, 0.1, 0.9298092),
        (20, 0.3, 0.9752179),
        (30, 0.8, 0.9638613),
        (30, 0.5, 0.9572261),
        (100, 0.9, 0.9363984),
        (200, 0.5, 0.9440343),
    ],
)
def test_wilson_covers_as_computed_exactly(n, p, exact):
    low, high = np.array([intervals.wilson_interval(x, n) for x in range(n + 1)]).T
    covers = (low <= p) & (p <= high)
    computed = scipy.stats.binom.pmf(np.arange(n + 1), n, p)[covers].sum()
    assert computed == pytest.approx(exact, abs=1e-7)
    drawn = np.random.default_rng(1).binomial(n, p, size=20_000)
    assert covers[drawn].mean() == pytest.approx(computed, abs=three_errors(computed, 20_000))


def test_wilson_covers_93_in_100_on_average_over_shares_at_10_to_30():
    for n in range(10, 31):
        low, high = np.array([intervals.wilson_interval(x, n) for x in range(n + 1)]).T
        p = np.linspace(0.02, 0.98, 97)
        chances = scipy.stats.binom.pmf(np.arange(n + 1)[:, None], n, p)
        covers = (low[:, None] <= p) & (p <= high[:, None])
        assert (chances * covers).sum(axis=0).mean() >= 0.93


@pytest.mark.parametrize(
    ("n", "gains", "losses"), [(20, 0.1, 0.1), (50, 0.3, 0.1), (50, 0.02, 0.02), (200, 0.1, 0.15)]
)
def test_bonett_price_covers_as_computed_exactly(n, gains, losses):
    truth = gains - losses
    computed, covers = 0.0, np.zeros((n + 1, n + 1), dtype=bool)
    for up in range(n + 1):
        for down in range(n + 1 - up):
            low, high = intervals.bonett_price_interval(up, down, n)
            covers[up, down] = low <= truth <= high
    ups, downs = np.nonzero(covers)
    same = n - ups - downs
    chances = scipy.stats.multinomial.pmf(
        np.column_stack([ups, downs, same]), n, [gains, losses, 1 - gains - losses]
    )
    computed = chances.sum()
    assert computed >= 0.94
    drawn = np.random.default_rng(2).multinomial(
        n, [gains, losses, 1 - gains - losses], size=20_000
    )
    found = covers[drawn[:, 0], drawn[:, 1]].mean()
    assert found == pytest.approx(computed, abs=three_errors(computed, 20_000))


def ideal_bca(successes: int, n: int) -> tuple[float, float]:
    """BCa of a share with all resamples there are: the binomial distribution itself."""
    p = successes / n
    law = scipy.stats.binom(n, p)
    bias = scipy.stats.norm.ppf(law.cdf(successes - 1) + law.pmf(successes) / 2)
    apart = np.repeat([1 - p, -p], [successes, n - successes])
    skew = (apart**3).sum() / (6 * (apart**2).sum() ** 1.5)
    ends = bias + np.array([-intervals.Z95, intervals.Z95])
    levels = scipy.stats.norm.cdf(bias + ends / (1 - skew * ends))
    return tuple(law.ppf(levels) / n)


@pytest.mark.parametrize(("n", "p"), [(200, 0.7), (200, 0.9), (500, 0.5)])
def test_bca_covers_as_computed_exactly(n, p):
    ends = {x: ideal_bca(x, n) for x in range(1, n)}
    # shares lie on a grid, and an end that falls on p is a coin's toss in a finite draw
    p = p + 0.3 / n
    covers = {x: low <= p <= high for x, (low, high) in ends.items()}
    computed = sum(scipy.stats.binom.pmf(x, n, p) for x in covers if covers[x])
    assert 0.93 <= computed <= 0.97
    random = np.random.default_rng(3)

    def run() -> bool:
        x = int(random.binomial(n, p))
        draws = random.binomial(n, x / n, size=4000) / n
        left_out = np.repeat([(x - 1) / (n - 1), x / (n - 1)], [x, n - x])
        low, high = intervals.bca_interval(draws, x / n, left_out, (0.0, 1.0))
        return low <= p <= high

    assert share(run() for _ in range(RUNS)) == pytest.approx(computed, abs=three_errors(computed))


def cover(tables: np.ndarray, truth: float, clustered: bool = False, value=mean) -> float:
    """The share of tables (runs, n, k) whose interval holds the truth.

    One draw of resamples serves them all, which changes nothing for any one of them.
    """
    runs, n, k = tables.shape
    counts = np.concatenate(list(resampling.resampled_counts(n, 1000, seed=7)))
    sums = np.einsum("bn,rnk->rbk", counts, tables, optimize=True)
    hits = []
    for table, drawn in zip(tables, value(sums), strict=True):
        measure = SumMeasure(table, value)
        found = intervals.interval(
            drawn,
            float(value(table.sum(axis=0))),
            resampling.jackknife(measure),
            n,
            (0.0, 1.0),
            clustered=clustered,
        )
        hits.append(found.low <= truth <= found.high)
    return share(hits)


@pytest.mark.parametrize(("a", "b"), [(2.0, 1.0), (0.5, 1.5), (0.3, 0.1)])
def test_bca_covers_93_to_97_in_100_at_200(a, b):
    scores = np.random.default_rng(4).beta(a, b, size=(RUNS, 200))
    tables = np.stack([scores, np.ones_like(scores)], axis=-1)
    assert 0.93 <= cover(tables, a / (a + b)) <= 0.97


def f1_of_two(sums: np.ndarray) -> np.ndarray:
    """Macro F1 of two classes from the counts of the four cells."""
    tp, fp, fn, tn = np.moveaxis(sums, -1, 0)
    return tp / (2 * tp + fp + fn) + tn / (2 * tn + fp + fn)


def test_bca_of_a_corpus_metric_covers_93_to_97_in_100_at_200():
    cells = np.array([0.15, 0.05, 0.1, 0.7])
    drawn = np.random.default_rng(5).choice(4, p=cells, size=(RUNS, 200))
    tables = np.eye(4)[drawn]
    assert 0.93 <= cover(tables, float(f1_of_two(cells)), value=f1_of_two) <= 0.97


def clustered_tables(clusters: int, strength: float) -> np.ndarray:
    """Sums and sizes of clusters of 1 to 11 rows whose rates differ, the more so for less."""
    random = np.random.default_rng(6)
    sizes = random.integers(1, 12, size=(RUNS, clusters))
    rates = random.beta(0.7 * strength, 0.3 * strength, size=sizes.shape)
    return np.stack([random.binomial(sizes, rates), sizes], axis=-1).astype(float)


@pytest.mark.parametrize("strength", [1.0, 4.0])
@pytest.mark.parametrize("clusters", [30, 50, 100])
def test_clustered_intervals_cover_94_in_100(clusters, strength):
    tables = clustered_tables(clusters, strength)
    assert cover(tables, 0.7, clustered=True) >= 0.94 - three_errors(0.94)


def test_rows_taken_for_independent_would_cover_far_less():
    tables = clustered_tables(30, 1.0)
    ends = [intervals.wilson_interval(right, int(n)) for right, n in tables.sum(axis=1)]
    assert share(low <= 0.7 <= high for low, high in ends) < 0.8


@pytest.fixture
def few_permutations(monkeypatch):
    monkeypatch.setattr(significance, "permutations", lambda n: 1000)


def alarms(p_values) -> float:
    return share(p < 0.05 for p in p_values)


@pytest.mark.usefixtures("few_permutations")
def test_sign_flips_raise_4_to_6_false_alarms_in_100():
    apart = np.random.default_rng(100).normal(size=(2 * RUNS, 30)) ** 3
    found = alarms(significance.sign_flip_test(row, i).p for i, row in enumerate(apart))
    assert found == pytest.approx(0.05, abs=three_errors(0.05, 2 * RUNS))


@pytest.mark.parametrize(("n", "changes"), [(20, 0.3), (100, 0.1), (1000, 0.2)])
def test_mcnemar_raises_no_more_false_alarms_than_it_says(n, changes):
    drawn = np.random.default_rng(8).multinomial(n, [changes / 2, changes / 2, 1 - changes], 4000)
    found = alarms(significance.mcnemar_test(int(up), int(down)).p for up, down, _ in drawn)
    assert found <= 0.05 + three_errors(0.05, 4000)
    assert n < 1000 or found > 0.03


@pytest.mark.usefixtures("few_permutations")
def test_swaps_of_a_corpus_metric_raise_no_more_false_alarms_than_they_say():
    random = np.random.default_rng(9)
    cells = np.eye(4)[random.choice(4, p=[0.3, 0.1, 0.2, 0.4], size=(2, RUNS, 60))]
    found = alarms(
        significance.swap_test(SumMeasure(a, f1_of_two), SumMeasure(b, f1_of_two), i).p
        for i, (a, b) in enumerate(zip(*cells, strict=True))
    )
    assert found <= 0.05 + three_errors(0.05)
    assert found > 0.03


@pytest.mark.usefixtures("few_permutations")
def test_clusters_as_units_raise_no_false_alarms_that_rows_would():
    random = np.random.default_rng(10)
    shared = random.normal(size=(RUNS, 30, 1))
    apart = shared + random.normal(size=(RUNS, 30, 6))
    by_cluster = alarms(
        significance.sign_flip_test(rows.sum(axis=1), i).p for i, rows in enumerate(apart)
    )
    by_row = alarms(
        significance.sign_flip_test(rows.ravel(), i).p for i, rows in enumerate(apart[:300])
    )
    assert by_cluster <= 0.05 + three_errors(0.05)
    assert by_row > 0.2


def test_holm_keeps_the_chance_of_any_false_alarm():
    random = np.random.default_rng(11)
    common = random.normal(size=(RUNS, 1))
    for weight in (0.0, 0.9):
        tests = math.sqrt(1 - weight) * random.normal(size=(RUNS, 8)) + math.sqrt(weight) * common
        p_values = 2 * scipy.stats.norm.sf(np.abs(tests))
        found = [min(significance.adjusted(list(row), "holm")) for row in p_values]
        assert alarms(found) <= 0.05 + three_errors(0.05)
        if weight == 0.0:
            assert alarms(p_values.min(axis=1)) > 0.25


def test_benjamini_hochberg_keeps_the_share_of_false_alarms():
    random = np.random.default_rng(12)
    shift = np.repeat([3.0, 0.0], [4, 16])
    p_values = 2 * scipy.stats.norm.sf(np.abs(random.normal(size=(RUNS, 20)) + shift))
    shares = []
    for row in p_values:
        alarmed = np.array(significance.adjusted(list(row), "bh")) < 0.05
        shares.append(alarmed[4:].sum() / max(1, alarmed.sum()))
    assert np.mean(shares) <= 0.05 * 16 / 20 + 3 * np.std(shares) / math.sqrt(RUNS)
