"""turns: MT-Bench's questions."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.formats import turns


def test_the_first_turn_is_asked_and_all_stay():
    notes: Counter[str] = Counter()
    row = {"question_id": 81, "turns": ["one", "two"], "reference": ["1", "2"]}
    assert turns.convert(row, notes) == [
        {
            "id": "81",
            "messages": [
                {"role": "user", "content": "one"},
                {"role": "assistant", "content": "1"},
            ],
        }
        | row
    ]
    assert notes == {"the first of several prompts is asked, all stay in turns": 1}
    (made,) = turns.convert({"turns": ["one"]}, notes)
    assert made == {"messages": [{"role": "user", "content": "one"}], "turns": ["one"]}
    assert notes.total() == 1


@pytest.mark.parametrize("value", [[], "x", [5]])
def test_what_is_wrong_is_told(value):
    with pytest.raises(ValueError, match="turns must be a list of strings"):
        turns.convert({"turns": value}, Counter())


def test_recognises():
    assert turns.recognises(frozenset({"question_id", "turns", "category"}))
    assert not turns.recognises(frozenset({"turns"}))
