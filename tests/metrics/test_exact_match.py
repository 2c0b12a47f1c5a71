"""exact_match: equality after stripping, any reference, errors wrong."""

from __future__ import annotations

import pytest

from instructune.evaluating.predictions import Answer
from instructune.metrics import metrics

exact_match = metrics["exact_match"]


@pytest.mark.parametrize(
    ("prediction", "references", "score"),
    [
        ("Paris", ["Paris"], 1.0),
        (" Paris\n", ["\tParis "], 1.0),
        ("paris", ["Paris"], 0.0),
        ("Paris.", ["Paris"], 0.0),
        ("New  York", ["New York"], 0.0),
        ("b", ["a", "b"], 1.0),
        ("", ["a", ""], 1.0),
        ("负面", ["负面"], 1.0),
        ("caf\u00e9", ["cafe\u0301"], 0.0),
    ],
)
def test_a_row_scores_1_only_if_it_equals_a_reference(prediction, references, score):
    assert exact_match.row_score(Answer(prediction, references)) == score


def test_an_error_counts_as_wrong_and_stays_in_the_mean():
    table = exact_match.statistics([Answer("a", ["a"]), Answer(None, [""]), Answer("", [""])])
    assert table.tolist() == [[1, 1], [0, 1], [1, 1]]
    assert exact_match.value(table.sum(axis=0)) == 2 / 3
