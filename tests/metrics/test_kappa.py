"""kappa: scikit-learn's numbers, weighted too, and labels that no reference has."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from instructune.errors import UserError
from tests.scored import answered, measured


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("kappa", 0.6190476190476191),
        ("kappa:weights=quadratic", 0.7948717948717949),
    ],
)
def test_reference_vectors(spec, expected):
    answers = answered(list("02221011"), list("01221021"), "label")
    assert measured(spec, answers) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from("abcxy"), st.sampled_from("abc")), min_size=1))
def test_it_is_scikit_learns(pairs):
    predicted, true = zip(*pairs, strict=True)
    expected = cohen_kappa_score(true, predicted)
    found = measured("kappa", answered(predicted, true, "label"))
    assert found == pytest.approx(0 if math.isnan(expected) else expected, abs=1e-9)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(*[st.sampled_from(["1", "2", "10"])] * 2), min_size=1),
    st.sampled_from(["linear", "quadratic"]),
)
def test_grades_are_ordered_as_numbers(pairs, weights):
    pairs += [("1", "1"), ("2", "2"), ("10", "10")]
    predicted, true = zip(*pairs, strict=True)
    expected = cohen_kappa_score(true, predicted, labels=["1", "2", "10"], weights=weights)
    found = measured(f"kappa:weights={weights}", answered(predicted, true, "label"))
    assert found == pytest.approx(expected, abs=1e-9)


def test_errors_and_strangers_are_as_wrong_as_can_be():
    true = ["1", "2", "3", "3"]
    assert measured("kappa", answered(["1", "2", "3", None], true, "label")) == pytest.approx(
        cohen_kappa_score(true, ["1", "2", "3", "-"])
    )
    # what each predicted grade costs by chance, and an answer that is none
    found = measured("kappa:weights=quadratic", answered(["1", "2", "3", None], true, "label"))
    by_grade = [(0 + 1 + 4 + 4) / 4, (1 + 0 + 1 + 1) / 4, (4 + 1 + 0 + 0) / 4]
    outside = (4 + 1 + 4 + 4) / 4
    assert found == pytest.approx(1 - 4 / (sum(by_grade) + outside))


def test_grades_must_be_numbers():
    with pytest.raises(UserError, match="not all labels are numbers: 1, good"):
        measured("kappa:weights=linear", answered(["1", "1"], ["1", "good"], "label"))
