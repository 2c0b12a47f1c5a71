"""rowscores: which metric tells rows apart, turned so that more is better."""

from __future__ import annotations

from instructune.evaluating.rowscores import EXACT, RowScores, row_scores
from tests.scored import answered

ANSWERS = answered(["a", " b\n", None], ["a", "b", "c"])


def test_the_first_metric_with_a_score_a_row():
    found = row_scores(["bleu", "token_f1", "exact_match"], ANSWERS)
    assert found == RowScores("token_f1", [1.0, 1.0, 0.0], 0.0, 1.0)


def test_less_is_better():
    rows = answered([1.0, 3.0], [1.0, 1.0], "number")
    found = row_scores(["mae"], rows)
    assert found == RowScores("mae", [0.0, -2.0], float("-inf"), 0.0, -1)
    assert [str(found.told(value)) for value in found.values] == ["0.0", "2.0"]


def test_an_error_is_the_worst():
    scores = [{"a": 0.0, "b": -50.0}, None]
    rows = answered(["a", None], ["a", "a"], "label", label_scores=scores)
    found = row_scores(["brier"], rows)
    assert found.values[1] == found.worst == -1
    assert found.told(found.worst) == 1


def test_without_such_a_metric_rows_are_right_or_wrong():
    assert row_scores(["bleu"], ANSWERS) == RowScores(EXACT, [1.0, 1.0, 0.0], 0.0, 1.0)
    tags = answered([["O"], ["O"]], [["O"], ["B-X"]], "tags")
    assert row_scores(["entity_f1"], tags).values == [1.0, 0.0]


def test_nothing_to_tell_rows_apart_by():
    rows = [answer._replace(references=[], kind="none") for answer in ANSWERS]
    assert row_scores(["self_bleu"], rows) is None
