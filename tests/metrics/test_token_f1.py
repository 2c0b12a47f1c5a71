"""token_f1: the SQuAD rules, one token a Chinese character, the best reference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics
from instructune.metrics._text import squad_tokens

token_f1 = metrics["token_f1"]

# reference, prediction, exact match of the tokens, F1: computed with torchmetrics' SQuAD
SQUAD = [
    ("The Eiffel Tower", "eiffel tower", 1, 1.0),
    ("in 1999", "1999", 0, 0.6666666666666666),
    ("a an the", "", 1, 1.0),
    ("New York City", "York New", 0, 0.8),
    ("café", "cafe", 0, 0.0),
    ("U.S.A.", "USA", 1, 1.0),
    ("three", "3", 0, 0.0),
]


@pytest.mark.parametrize(("reference", "prediction", "equal", "f1"), SQUAD)
def test_squad_vectors(reference, prediction, equal, f1):
    assert token_f1.row_score(Answer(prediction, [reference])) == pytest.approx(f1, abs=1e-12)
    assert (squad_tokens(prediction) == squad_tokens(reference)) == bool(equal)


@pytest.mark.parametrize(
    ("prediction", "reference", "f1"),
    [
        ("我爱北京", "我爱上海", 0.5),
        ("负面", "负面。", 0.8),
        ("iPhone手机", "手机 iphone", 1.0),
        ("カメラ", "カメ", 0.8),
        ("한국 사람", "한국", 2 / 3),
        ("x", "", 0.0),
        ("", "", 1.0),
        ("the", "", 1.0),
        ("cat cat", "cat", 2 / 3),
        ("them", "m", 0.0),
    ],
)
def test_tokens(prediction, reference, f1):
    assert token_f1.row_score(Answer(prediction, [reference])) == pytest.approx(f1, abs=1e-12)


def test_the_best_reference_counts_and_an_error_scores_0():
    answers = [Answer("new york", ["boston", "york", "new york city"]), Answer(None, [""])]
    table = token_f1.statistics(answers)
    assert table.tolist() == [[0.8, 1], [0, 1]]
    assert token_f1.value(table.sum(axis=0)) == 0.4


@given(st.text(), st.text())
def test_f1_is_symmetric_within_bounds_and_1_for_equal_texts(one, other):
    forth = token_f1.row_score(Answer(one, [other]))
    assert forth == token_f1.row_score(Answer(other, [one]))
    assert 0 <= forth <= 1
    assert token_f1.row_score(Answer(one, [one])) == 1
