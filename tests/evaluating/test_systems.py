"""systems: ids and clusters as units, and values that they leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import System, units_of
from instructune.statistics.tables import is_sparse


def answer(name, prediction, doc=None, sample=0):
    return Answer(prediction, ["x"], "label", {"id": name, "sample": sample, "doc": doc})


ROWS = [
    answer("a", "x", "p"),
    answer("a", "y", "p", 1),
    answer("b", "x", "q"),
    answer("c", "y", "p"),
]


def test_ids_as_units():
    units = units_of(ROWS, None)
    assert units.n == 3
    assert units.of_rows.tolist() == [0, 0, 1, 2]
    assert units.shares.tolist() == [0.5, 0.5, 1.0, 1.0]
    system = System(Metric("accuracy"), ROWS, units, {})
    assert system.value == 0.5
    assert system.scores().tolist() == [0.5, 1.0, 0.0]
    assert not system.is_proportion()
    assert System(Metric("accuracy"), ROWS[2:], units_of(ROWS[2:], None), {}).is_proportion()


def test_clusters_as_units():
    units = units_of(ROWS, "doc")
    assert (units.n, units.groups.tolist()) == (2, [0, 1, 0])
    assert units.of_rows.tolist() == [0, 0, 1, 0]
    system = System(Metric("accuracy"), ROWS, units, {})
    assert system.value == 0.5
    assert system.measure.table.tolist() == [[0.5, 2.0], [1.0, 1.0]]
    assert system.measure.weighted(np.array([[1.0, 1.0], [2.0, 0.0]])).tolist() == [0.5, 0.25]
    single = units_of(ROWS[2:], "doc")
    assert not System(Metric("accuracy"), ROWS[2:], single, {}).is_proportion()


def test_metrics_of_classes_share_one_table():
    known = {}
    units = units_of(ROWS, None)
    tables = [System(Metric(name), ROWS, units, known).measure.table for name in ("f1", "recall")]
    assert tables[0] is tables[1]
    assert len(known) == 1


@pytest.mark.parametrize("size", [10, 150])
def test_sparse_tables_are_clustered_too(size):
    rows = [
        Answer(f"l{i}", [f"l{i * 7 % size}"], "label", {"id": f"{i:04}", "doc": i % 9})
        for i in range(size)
    ] * (1 if size == 10 else 20)
    rows = [a._replace(row=a.row | {"id": f"{i:05}"}) for i, a in enumerate(rows)]
    system = System(Metric("f1"), rows, units_of(rows, "doc"), {})
    assert is_sparse(system.measure.table) == (size == 150)
    ones = system.measure.weighted(np.ones((1, 9)))[0]
    assert ones == pytest.approx(system.value, abs=1e-12)


def test_a_mean_without_bounds_is_no_share():
    """Absolute errors of 0 and 1 are no successes out of some: with other units they are 1000."""
    rows = [Answer(float(i), [0.0], "number", {"id": str(i)}) for i in (0, 1)]
    assert not System(Metric("mae"), rows, units_of(rows, None), {}).is_proportion()
