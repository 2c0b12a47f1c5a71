"""conditions: the grammar of gates, and messages that show the column."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating import conditions
from instructune.evaluating.conditions import Comparison

METRICS = ("exact_match", "f1", "token_f1")


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("f1 < 0.5", [("f1", "value", (), "<", 0.5)]),
        ("f1<.5", [("f1", "value", (), "<", 0.5)]),
        ("  exact_match.delta<-1e-2 ", [("exact_match", "delta", (), "<", -0.01)]),
        ("f1.low >= +3.", [("f1", "low", (), ">=", 3.0)]),
        ("f1.high != 0", [("f1", "high", (), "!=", 0.0)]),
        ("f1.value == 1", [("f1", "value", (), "==", 1.0)]),
        ("f1@lang=en <= 0.5", [("f1", "value", (("lang", "en"),), "<=", 0.5)]),
        ("f1.p@lang=zh-CN>0.05", [("f1", "p", (("lang", "zh-CN"),), ">", 0.05)]),
        ("f1@a.b='x < y' > 1", [("f1", "value", (("a.b", "x < y"),), ">", 1.0)]),
        ('f1@lang="" > 1', [("f1", "value", (("lang", ""),), ">", 1.0)]),
        (
            "f1.delta@task='a,b',kind=x < -0.02 surely and f1 > 1",
            [
                ("f1", "delta", (("task", "a,b"), ("kind", "x")), "<", -0.02, True),
                ("f1", "value", (), ">", 1.0),
            ],
        ),
        ('"f1:a=b, c".delta < 0', [("f1:a=b, c", "delta", (), "<", 0.0)]),
        ("'f1:a=b'@lang=en < 0", [("f1:a=b", "value", (("lang", "en"),), "<", 0.0)]),
        ("f1.delta_low<0", [("f1", "delta_low", (), "<", 0.0)]),
        ("f1.p_adjusted < 0.05", [("f1", "p_adjusted", (), "<", 0.05)]),
        ("f1.n_errors > 0", [("f1", "n_errors", (), ">", 0.0)]),
        ("f1@难度=高 > 1", [("f1", "value", (("难度", "高"),), ">", 1.0)]),
        (
            "f1.delta < 0 and f1.p < 0.05\nand token_f1 < 1",
            [
                ("f1", "delta", (), "<", 0.0),
                ("f1", "p", (), "<", 0.05),
                ("token_f1", "value", (), "<", 1.0),
            ],
        ),
    ],
)
def test_grammar(text, comparisons):
    assert conditions.parse(text, METRICS).comparisons == tuple(Comparison(*c) for c in comparisons)


@pytest.mark.parametrize(
    ("text", "column", "reason", "hint"),
    [
        ("", 1, "the name of a metric at column 1, got the end", None),
        ("f1_ < 1", 1, "the name of a metric at column 1, got 'f1_'", "did you mean 'f1'?"),
        ("0.5 > f1", 1, "the name of a metric at column 1, got '0.5'", None),
        ("'f2:a=b' < 1", 1, "the name of a metric at column 1", "choose from exact_match"),
        ("f1:a=b < 1", 3, "one of < <= > >= == != at column 3", "quote a metric with options"),
        ("f1.mean < 1", 4, "one of value, low, high, delta, delta_low", None),
        ("f1.hi < 1", 4, "got 'hi'", "did you mean 'high'?"),
        ("f1 .low < 1", 4, "one of < <= > >= == != at column 4, got '.low'", None),
        ("f1@ lang < 1", 9, "'=' and the value of the field at column 9", None),
        ("f1@lang= < 1", 10, "the value of the field at column 10, got '<'", None),
        ("f1 = 1", 4, "one of < <= > >= == != at column 4, got '='", None),
        ("f1 < ", 6, "a number at column 6, got the end", None),
        ("f1 < nan", 6, "a number at column 6, got 'nan'", None),
        ("f1 < -inf", 6, "a number at column 6", None),
        ("f1 < 1e999", 6, "a finite number at column 6, got '1e999'", None),
        ("f1 < 5%", 7, "'and' or the end at column 7, got '%'", None),
        ("f1 < 0x1", 6, "a number at column 6", None),
        ("f1 < 1 or f1 > 2", 8, "got 'or'", "give --fail-if twice"),
        ("f1 < 1 and", 11, "the name of a metric at column 11, got the end", None),
        ("f1.p < 1 surely", 10, "'and' or the end at column 10, got 'surely'", "surely goes with"),
        ("f1 == 1 surely", 9, "'and' or the end at column 9, got 'surely'", "surely goes with"),
        ("f1 < 1 surelyso", 14, "'and' or the end at column 14, got 'so'", None),
        ("f1@a=1,a=2 < 1", 8, "another field at column 8, got 'a=2'", None),
        ("f1@a=1, < 1", 9, "the name of a field at column 9, got '<'", None),
        ("f1 < 1, f1 > 2", 7, "'and' or the end", None),
    ],
)
def test_faults_name_the_column(text, column, reason, hint):
    with pytest.raises(UserError) as caught:
        conditions.parse(text, METRICS)
    assert caught.value.code == Exit.USAGE
    assert caught.value.where == "--fail-if"
    assert reason in caught.value.reason
    if hint:
        assert caught.value.hint.startswith(hint)
    assert caught.value.reason.endswith(f"\n  {text}\n  {' ' * (column - 1)}^")


def test_the_whole_message():
    with pytest.raises(UserError) as caught:
        conditions.parse("exact_match.delta < zero", METRICS)
    assert str(caught.value) == (
        "--fail-if: expected a number at column 21, got 'zero'\n"
        "  exact_match.delta < zero\n"
        "                      ^"
    )


def test_a_fault_in_a_file_names_the_file():
    with pytest.raises(UserError) as caught:
        conditions.parse("f1 <", METRICS, "gates.toml: gate 2")
    assert caught.value.where == "gates.toml: gate 2"


@pytest.mark.parametrize(
    "text",
    [
        "f1 < 0.5",
        "f1.delta@a=b,c=d >= -0.02 surely",
        '"rouge_l:stemmer=true".low > 1',
    ],
)
def test_a_comparison_is_spelled_as_it_is_typed(text):
    (comparison,) = conditions.parse(text, [*METRICS, "rouge_l"]).comparisons
    assert str(comparison) == text
