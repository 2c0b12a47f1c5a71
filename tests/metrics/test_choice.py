"""choice: how a letter or an option is read out of free text, and when none is."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.metrics.choice import picked
from tests.scored import answered, measured

CITIES = {"A": "Berlin", "B": "Paris", "C": "New York", "D": "York"}


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        (" (b) ", "B"),
        ("**B**.", "B"),
        ("Ｂ．", "B"),
        ("B. Paris", "B"),
        ("B) because it is so", "B"),
        ("B\nA is in Germany.", "B"),
        ("The answer is B.", "B"),
        ("The answer is (B), not A.", "B"),
        ("the correct answer is **B**", "B"),
        ("Answer: B", "B"),
        ("answer: b", "B"),
        ("I first thought the answer is A, but the answer is B", "B"),
        ("\\boxed{B}", "B"),
        ("The answer is A. Or \\boxed{\\text{B}}", "B"),
        ("答案是B", "B"),
        ("答案：B。", "B"),
        ("因此选B", "B"),
        ("正确选项为 B", "B"),
        ("Paris", "B"),
        ("It is paris, of course.", "B"),
        ("New York it is", "C"),
        ("in York", "D"),
        ("I would go for B here", "B"),
        ("A city on the Seine", None),
        ("The answer is a city on the Seine", None),
        ("I don't know", None),
        ("Paris or Berlin", None),
        ("B or C", None),
        ("E", None),
        ("The answer is E", None),
        ("Parisian", None),
        ("", None),
    ],
)
def test_what_an_answer_picks(text, letter):
    assert picked(text, CITIES) == letter


def test_letters_are_enough_where_options_are_not_known():
    assert measured("choice", answered(["(C)", "D", None], ["C", "C. x", "C"])) == 1 / 3


@pytest.mark.parametrize(
    "columns",
    [
        {"choices": [["Berlin", "Paris"]]},
        {"choices": [{"a": "Berlin", "b": "Paris"}]},
        {"text": ["Capital of France?\nA. Berlin\nB. Paris"]},
        {"text": ["Spain?\n(A) Madrid\n(B) Rome\n\nFrance?\n(A) Berlin\n(B) Paris"]},
        {"text": ["法国的首都是?\nA、柏林\nB、Paris"]},
    ],
)
def test_options_are_in_the_row(columns):
    answers = answered(["It must be Paris."], ["Paris"], **columns)
    assert measured("choice", answers) == 1
    assert measured("choice", answered(["Madrid"], ["B"], **columns)) == 0


def test_options_in_a_field_of_another_name():
    answers = answered(["Rome"], ["B"], endings=[["Bonn", "Rome"]])
    assert measured("choice:field=endings", answers) == 1
    assert measured("choice", answers) == 0


def test_a_reference_that_is_no_option_is_told():
    with pytest.raises(UserError, match="id '0000': a reference names no option, .'Rome'."):
        measured("choice", answered(["A"], ["Rome"], choices=[["Berlin", "Paris"]]))
