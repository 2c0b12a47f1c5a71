"""numeric_answer: where the number is found, what it equals, and the harness's two rules."""

from __future__ import annotations

from fractions import Fraction

import pytest

from instructune.errors import UserError
from instructune.metrics.numeric_answer import final_number, gsm8k_answer
from tests.scored import answered, measured

GSM8K = [
    ("so the answer is $29.00.", "[invalid]", "29.00"),
    ("#### 1,234", "1234", "1234"),
    ("#### -3", "-3", "-3"),
    ("#### 12.", "12", "12"),
    ("answer: 3/4", "[invalid]", "4"),
    ("Total: 1.5e3", "[invalid]", "3"),
    ("\\boxed{42}", "[invalid]", "42"),
    ("First 7, then 8... so 15, which is 2 more than 13.", "[invalid]", "13"),
    ("#### 5\n#### 6", "5", "6"),
    ("The answer is ...", "[invalid]", ".."),
    ("room 12-15", "[invalid]", "-15"),
    ("I paid $1,000,000.", "[invalid]", "1000000"),
    ("Answer: ４２", "[invalid]", "[invalid]"),
]


@pytest.mark.parametrize(("text", "strict", "flexible"), GSM8K)
def test_the_harness_vectors(text, strict, flexible):
    assert gsm8k_answer(text, "gsm8k_strict") == strict
    assert gsm8k_answer(text, "gsm8k_flexible") == flexible


def test_the_harness_compares_texts():
    texts = ["It is $29.00.", "#### 29", "so 29"]
    answers = answered(texts, ["20 + 9 = 29\n#### 29"] * 3)
    assert measured("numeric_answer:rule=gsm8k_flexible", answers) == pytest.approx(2 / 3)
    assert measured("numeric_answer:rule=gsm8k_strict", answers) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("so the answer is $29.00.", "29"),
        ("#### 1,234", "1234"),
        ("#### -3", "-3"),
        ("#### 12.", "12"),
        ("#### 5\n#### 6", "6"),
        ("#### 72 apples, from 8 trees", "72"),
        ("answer: 3/4", "3/4"),
        ("Total: 1.5e3", "1500"),
        ("1e-2", "0.01"),
        ("\\boxed{42} as 40 + 2", "42"),
        ("\\boxed{1} or \\boxed{\\frac{3}{4}}", "3/4"),
        ("\\boxed{\\$1{,}000}", "1000"),
        ("#### 3\nso \\boxed{4}", "4"),
        ("room 12-15", "15"),
        ("x = -15", "-15"),
        ("it fell by \u22127 degrees", "-7"),
        ("I paid $1,000,000.", "1000000"),
        ("-$5", "-5"),
        ("答案是４２。", "42"),
        ("共50%", "50"),
        ("1,2,3", "3"),
        ("1234,567", "567"),
        (".5", "0.5"),
        ("10/0", "10"),
        ("1e9999", "9999"),
        ("no number", None),
        ("....", None),
        ("", None),
    ],
)
def test_the_last_number_unless_one_is_marked(text, number):
    assert final_number(text, "number") == (None if number is None else Fraction(number))


def test_a_rule_that_wants_a_mark():
    answers = answered(["42", "#### 42", "\\boxed{42.0}", None], ["#### 42"] * 4)
    assert measured("numeric_answer", answers) == 0.75
    assert measured("numeric_answer:rule=marked", answers) == 0.5


def test_a_reference_without_a_number_is_told():
    with pytest.raises(UserError, match="id '0000': a reference has no number, .'many'."):
        measured("numeric_answer", answered(["1"], ["many"]))


def test_long_digits_take_no_time():
    assert measured("numeric_answer", answered(["9" * 20_000], ["9" * 20_000])) == 1
