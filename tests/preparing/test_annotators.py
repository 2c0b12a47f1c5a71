"""annotators: published figures, other people's code, ties and disagreements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.preparing.annotators import (
    agreement,
    cohen_kappa,
    disagreements,
    fleiss_kappa,
    krippendorff_alpha,
    majority,
)

# Krippendorff (2011), section C: four observers, twelve units, values missing
RELIABILITY = [
    [1, 1, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [5, 5, 5], [1, 1], [3],
]  # fmt: skip

# Fleiss (1971), table as reprinted: ten subjects, fourteen raters, five categories
SUBJECTS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def rows_of(table: list[list[int]]) -> list[list[str]]:
    return [[f"c{i}" for i, count in enumerate(row) for _ in range(count)] for row in table]


def test_published_alphas():
    assert krippendorff_alpha(RELIABILITY) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(RELIABILITY, "interval") == pytest.approx(0.849, abs=5e-4)
    # the same paper, section A: two observers, ten units, two categories
    one = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    two = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    pairs = [list(pair) for pair in zip(one, two, strict=True)]
    assert krippendorff_alpha(pairs) == pytest.approx(0.095, abs=5e-4)


def test_kappas_by_hand():
    assert fleiss_kappa(rows_of(SUBJECTS)) == pytest.approx(0.210, abs=5e-4)
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: p_o 0.7, p_e 0.5
    first = ["y"] * 25 + ["n"] * 25
    second = ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)


labels = st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=2, max_size=30)


@given(labels)
def test_as_scikit_learn_and_statsmodels(rows):
    metrics = pytest.importorskip("sklearn.metrics")
    raters = pytest.importorskip("statsmodels.stats.inter_rater")
    first, second, _ = (list(column) for column in zip(*rows, strict=True))
    if len(set(first + second)) > 1:
        expected = metrics.cohen_kappa_score(first, second)
        assert cohen_kappa(first, second) == pytest.approx(expected, abs=1e-9)
    if len({value for row in rows for value in row}) > 1:
        table, _ = raters.aggregate_raters([list(row) for row in rows])
        assert fleiss_kappa(rows) == pytest.approx(raters.fleiss_kappa(table), abs=1e-9)


@given(st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=8))
def test_alpha_from_sums_is_alpha_from_pairs(rows):
    """The definition, pair by pair, against the sums."""
    for level, delta in (("nominal", lambda a, b: a != b), ("interval", lambda a, b: (a - b) ** 2)):
        units = [row for row in rows if len(row) > 1]
        every = [value for row in units for value in row]
        observed = sum(
            delta(a, b) / (len(row) - 1)
            for row in units
            for i, a in enumerate(row)
            for j, b in enumerate(row)
            if i != j
        )
        expected = sum(
            delta(a, b) / (len(every) - 1)
            for i, a in enumerate(every)
            for j, b in enumerate(every)
            if i != j
        )
        alpha = krippendorff_alpha(rows, level)
        if expected:
            assert alpha == pytest.approx(1 - observed / expected, abs=1e-9)
        else:
            assert alpha is None


def test_what_cannot_be_told():
    assert cohen_kappa([], []) is None
    assert cohen_kappa(["a"], ["a"]) is None
    assert fleiss_kappa([["a", "a"]]) is None
    assert krippendorff_alpha([["a"], []]) is None
    with pytest.raises(ValueError, match="same rows"):
        cohen_kappa(["a"], [])
    with pytest.raises(ValueError, match="same number"):
        fleiss_kappa([["a", "b"], ["a"]])
    with pytest.raises(ValueError, match="needs numbers"):
        krippendorff_alpha([["a", "b"]], "interval")


def test_all_coefficients_at_once():
    rows = [{"ann": 1, "bob": 1}, {"ann": 2, "bob": 1}, {"ann": 2, "bob": 2.0}]
    found = agreement(rows)
    assert found["rows"] == 3
    assert found["annotators"] == ["ann", "bob"]
    assert found["cohen_kappa"] == {"ann, bob": {"kappa": pytest.approx(0.4), "n": 3}}
    assert found["fleiss_kappa"] == pytest.approx(1 / 3)
    assert found["krippendorff_alpha"] == pytest.approx(1 - 2 / (18 / 5))
    assert found["krippendorff_alpha_interval"] == pytest.approx(1 - 2 / (18 / 5))
    partly = agreement([{"ann": "x", "bob": "y"}, {"ann": "x", "bob": None}])
    assert partly["cohen_kappa"]["ann, bob"]["n"] == 1
    assert "fleiss_kappa" not in partly
    assert "krippendorff_alpha_interval" not in partly


def test_disagreements_and_majorities():
    rows = [("1", {"a": "x", "b": "y", "c": "y"}), ("2", {"a": 1, "b": 1.0})]
    assert list(disagreements(rows)) == [("1", {"y": ["b", "c"], "x": ["a"]})]
    assert majority(rows[0][1]) == ["y"]
    assert majority({"a": "x", "b": "y"}) == ["x", "y"]
    assert majority({"a": ["p", "q"], "b": ["q", "p"], "c": ["p"]}) == [["p", "q"]]
