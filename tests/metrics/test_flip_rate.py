"""flip_rate: rows whose answer a swap changes."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from tests.scored import measured
from tests.variants import copied

FAMILIES = [("x", ["yes", " yes "]), ("x", ["yes", "no"]), ("x", ["no", None]), ("x", ["no"])]


def test_any_other_answer_is_a_flip():
    assert measured("flip_rate", copied(*FAMILIES, by="swap")) == pytest.approx(2 / 3)
    assert measured("flip_rate", copied(("x", [["a"], ["a"]]), by="swap")) == 0


def test_only_the_copies_asked_about_count():
    with pytest.raises(UserError, match="--transform swap makes them"):
        measured("flip_rate", copied(*FAMILIES, by="noise"))
    assert measured("flip_rate:made_by=noise", copied(*FAMILIES, by="noise")) > 0
