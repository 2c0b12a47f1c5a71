"""statistics.resampling: one draw for all measures, the same whatever its chunks."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from instructune.statistics import measures, resampling
from instructune.statistics.measures import RowMeasure, SumMeasure


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def table_of(scores) -> np.ndarray:
    return np.column_stack([np.asarray(scores, dtype=float), np.ones(len(scores))])


def counts_of(n, resamples, seed):
    return np.concatenate(list(resampling.resampled_counts(n, resamples, seed)))


def test_resampled_counts_are_draws_with_replacement():
    counts = counts_of(50, 4000, 3)
    assert counts.shape == (4000, 50)
    assert (counts.sum(axis=1) == 50).all()
    assert abs(counts.mean(axis=0) - 1).max() < 0.1
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.02)


def test_draws_depend_on_the_seed_and_not_on_the_size_of_chunks(monkeypatch):
    whole = counts_of(7, 300, 1)
    monkeypatch.setattr(resampling, "_CELLS", 40)
    monkeypatch.setattr(resampling, "_DRAWN", 20)
    chunks = list(resampling.resampled_counts(7, 300, seed=1))
    assert max(map(len, chunks)) == 5
    assert (np.concatenate(chunks) == whole).all()
    assert (counts_of(7, 300, 2) != whole).any()


def test_all_measures_share_one_draw():
    scores = np.random.default_rng(0).random(60)
    worse = SumMeasure(table_of(scores - 0.25), mean)
    draws = resampling.bootstrap([SumMeasure(table_of(scores), mean), worse], 500, seed=0)
    counts = counts_of(60, 500, 0)
    assert draws[0] == pytest.approx(counts @ scores / 60, abs=1e-12)
    assert draws[0] - draws[1] == pytest.approx(np.full(500, 0.25), abs=1e-12)


@pytest.mark.parametrize("most", [0, 1 << 20])
def test_tables_of_any_kind_and_evaluators_give_the_same_draws_in_any_company(monkeypatch, most):
    monkeypatch.setattr(measures, "_DENSE", most)
    table = np.random.default_rng(0).integers(0, 3, size=(40, 6)).astype(float)
    total = lambda sums: sums[..., 0] - sums[..., 5]  # noqa: E731
    whole = RowMeasure(lambda w: total(w @ table), np.arange(40), np.ones(40), 40)
    dense, sparse = SumMeasure(table, total), SumMeasure(csr_array(table), total)
    shared = SumMeasure(table, lambda sums: sums[..., 1])
    draws = resampling.bootstrap([shared, dense, sparse, whole], 200, seed=0)
    alone = resampling.bootstrap([dense], 200, seed=0)
    assert (draws[1:] == alone).all()
    assert (draws[0] == counts_of(40, 200, 0) @ table[:, 1]).all()


def test_the_jackknife_leaves_one_out_and_of_many_a_part():
    scores = np.arange(5.0)
    found = resampling.jackknife(SumMeasure(table_of(scores), mean))
    assert found.tolist() == [10 / 4, 9 / 4, 8 / 4, 7 / 4, 6 / 4]
    many = np.random.default_rng(1).random(2500)
    found = resampling.jackknife(SumMeasure(table_of(many), mean))
    assert len(found) == resampling.GROUPS == 1000
    left = np.delete(many, [0, 1000, 2000])
    assert found[0] == pytest.approx(left.mean(), abs=1e-12)
    assert found[700] == pytest.approx(np.delete(many, [700, 1700]).mean(), abs=1e-12)


def test_fewer_resamples_for_many_rows():
    assert resampling.default_resamples(20_000) == 10_000
    assert resampling.default_resamples(20_001) == 2_000
