"""worst_case: the worst of a row and its copies."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.scored import measured
from tests.variants import copied

FAMILIES = [("a", ["a", "a", "b"]), ("a", ["a", "a"]), ("a", ["b", "a"]), ("a", ["a"])]


def test_one_wrong_copy_makes_a_row_wrong():
    assert measured("worst_case", copied(*FAMILIES)) == 1 / 3  # the last has no copies
    assert measured("worst_case", copied(("a", ["a", None]))) == 0


def test_any_metric_with_a_score_a_row_serves():
    answers = copied(("x y", ["x y", "x", "x z"]))
    assert measured("worst_case:of=token_f1", answers) == pytest.approx(0.5)
    with pytest.raises(UserError, match="f1 gives a row no score from 0 to 1"):
        measured("worst_case:of=f1", answers)


def test_without_copies_or_without_the_row_there_is_no_value():
    with pytest.raises(UserError, match=r"no row is a copy of another; instructune prepare"):
        measured("worst_case", copied(("a", ["a"])))
    with pytest.raises(UserError, match="'r0~noise1': is a copy of a row that is not here"):
        measured("worst_case", copied(("a", ["a", "b"]))[1:])
