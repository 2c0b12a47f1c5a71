"""gates: the grammar, messages that show the column, and verdicts over summaries."""

from __future__ import annotations

import pytest

from instructune import gates
from instructune.errors import Exit, UserError
from instructune.gates import Comparison

METRICS = ("exact_match", "f1", "token_f1")


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("f1 < 0.5", [("f1", "value", None, None, "<", 0.5)]),
        ("f1<.5", [("f1", "value", None, None, "<", 0.5)]),
        ("  exact_match.delta<-1e-2 ", [("exact_match", "delta", None, None, "<", -0.01)]),
        ("f1.low >= +3.", [("f1", "low", None, None, ">=", 3.0)]),
        ("f1.high != 0", [("f1", "high", None, None, "!=", 0.0)]),
        ("f1.value == 1", [("f1", "value", None, None, "==", 1.0)]),
        ("f1@lang=en <= 0.5", [("f1", "value", "lang", "en", "<=", 0.5)]),
        ("f1.p@lang=zh-CN>0.05", [("f1", "p", "lang", "zh-CN", ">", 0.05)]),
        ("f1@a.b='x < y' > 1", [("f1", "value", "a.b", "x < y", ">", 1.0)]),
        ('f1@lang="" > 1', [("f1", "value", "lang", "", ">", 1.0)]),
        ('"f1:a=b, c".delta < 0', [("f1:a=b, c", "delta", None, None, "<", 0.0)]),
        ("'f1:a=b'@lang=en < 0", [("f1:a=b", "value", "lang", "en", "<", 0.0)]),
        ("f1@难度=高 > 1", [("f1", "value", "难度", "高", ">", 1.0)]),
        (
            "f1.delta < 0 and f1.p < 0.05\nand token_f1 < 1",
            [
                ("f1", "delta", None, None, "<", 0.0),
                ("f1", "p", None, None, "<", 0.05),
                ("token_f1", "value", None, None, "<", 1.0),
            ],
        ),
    ],
)
def test_grammar(text, comparisons):
    assert gates.parse(text, METRICS).comparisons == tuple(Comparison(*c) for c in comparisons)


@pytest.mark.parametrize(
    ("text", "column", "reason", "hint"),
    [
        ("", 1, "the name of a metric at column 1, got the end", None),
        ("f1_ < 1", 1, "the name of a metric at column 1, got 'f1_'", "did you mean 'f1'?"),
        ("0.5 > f1", 1, "the name of a metric at column 1, got '0.5'", None),
        ("'f2:a=b' < 1", 1, "the name of a metric at column 1", "choose from exact_match"),
        ("f1:a=b < 1", 3, "one of < <= > >= == != at column 3", "quote a metric with options"),
        ("f1.mean < 1", 4, "one of value, low, high, delta, p at column 4", None),
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
        ("f1 < 1, f1 > 2", 7, "'and' or the end", None),
    ],
)
def test_faults_name_the_column(text, column, reason, hint):
    with pytest.raises(UserError) as caught:
        gates.parse(text, METRICS)
    assert caught.value.code == Exit.USAGE
    assert caught.value.where == "--fail-if"
    assert reason in caught.value.reason
    if hint:
        assert caught.value.hint.startswith(hint)
    assert caught.value.reason.endswith(f"\n  {text}\n  {' ' * (column - 1)}^")


def test_the_whole_message():
    with pytest.raises(UserError) as caught:
        gates.parse("exact_match.delta < zero", METRICS)
    assert str(caught.value) == (
        "--fail-if: expected a number at column 21, got 'zero'\n"
        "  exact_match.delta < zero\n"
        "                      ^"
    )


def summary(metric="f1", by=None, **more):
    return {"metric": metric, "value": 0.75, "ci95": [0.5, 0.875], "by": by} | more


@pytest.mark.parametrize(
    ("text", "fired", "numbers"),
    [
        ("f1 < 0.75", False, (0.75,)),
        ("f1 <= 0.75", True, (0.75,)),
        ("f1 > 0.75", False, (0.75,)),
        ("f1 >= 0.75", True, (0.75,)),
        ("f1 == 0.75", True, (0.75,)),
        ("f1 != 0.75", False, (0.75,)),
        ("f1.low < 0.6", True, (0.5,)),
        ("f1.high < 0.6", False, (0.875,)),
        ("f1.delta < 0", True, (-0.125,)),
        ("f1.delta < 0 and f1.p < 0.05", False, (-0.125, 0.25)),
        ("f1.delta < 0 and f1.p < 0.5", True, (-0.125, 0.25)),
        ("f1@lang=en < 0.5", True, (0.25,)),
        ("f1@level=3 < 0.5", True, (0.125,)),
        ("f1@level=null > 0", True, (1.0,)),
    ],
)
def test_verdicts(text, fired, numbers):
    summaries = [
        summary("exact_match"),
        summary(delta=-0.125, p=0.25),
        summary(by={"lang": "en"}, value=0.25),
        summary(by={"lang": "zh"}),
        summary(by={"level": 3}, value=0.125),
        summary(by={"level": None}, value=1.0),
    ]
    verdict = gates.judge(gates.parse(text, METRICS), summaries)
    assert (verdict.fired, verdict.numbers) == (fired, numbers)


def test_a_verdict_as_a_line():
    gate = gates.parse("f1.delta < 0", METRICS)
    verdict = gates.judge(gate, [summary(delta=-0.125, p=1.0)])
    assert str(verdict) == "f1.delta < 0 is true: -0.125"


def test_a_number_that_is_not_there_never_passes():
    gate = gates.parse("f1@lang=en > 0.9", METRICS)
    with pytest.raises(UserError, match="every row it needs is an error") as caught:
        gates.judge(gate, [summary(by={"lang": "en"}, value=None, ci95=None)])
    assert caught.value.code == Exit.BAD_DATA
    with pytest.raises(UserError) as caught:
        gates.judge(gate, [summary(by={"lang": "eng"})])
    assert str(caught.value) == (
        "--fail-if: f1@lang=en > 0.9: no row has lang=en\n  hint: did you mean 'eng'?"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f1.p < 0.05", "f1.p compares with a baseline\n  hint: name it with --baseline FILE"),
        (
            "f1@split=a < 1",
            "f1@split=a < 1 is about a slice that is not made\n  hint: add --by split",
        ),
    ],
)
def test_gates_that_the_settings_cannot_answer(text, message):
    gate = gates.parse(text, METRICS)
    with pytest.raises(UserError) as caught:
        gates.check(gate, by=("lang",), baseline=False)
    assert (caught.value.code, str(caught.value)) == (Exit.USAGE, f"--fail-if: {message}")
    gates.check(gate, by=("lang", "split"), baseline=True)
