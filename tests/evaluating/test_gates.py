"""gates: verdicts over summaries, gates in files, and data that cannot tell."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating import conditions, gates

METRICS = ("exact_match", "f1", "token_f1")


def parse(text):
    return conditions.parse(text, METRICS)


def summary(metric="f1", by=None, **more):
    return {"metric": metric, "value": 0.75, "ci95": [0.5, 0.875], "by": by, "n": 9} | more


SUMMARIES = [
    summary("exact_match"),
    summary(delta=-0.125, p=0.25, p_adjusted=0.5, delta_ci95=[-0.25, 0.0625], n_errors=2),
    summary(by={"lang": "en"}, value=0.25),
    summary(by={"lang": "zh"}),
    summary(by={"level": 3}, value=0.125),
    summary(by={"level": None}, value=1.0),
    summary(by={"lang": "en", "level": 3}, value=0.0),
]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("f1 < 50", "f1 < 50 is true whatever comes out: f1.value lies from 0 to 1"),
        ("f1 > 1", "is false whatever"),
        ("f1 >= 0", "is true whatever"),
        ("f1 == 1.5", "is false whatever"),
        ("f1 != 1.5", "is true whatever"),
        ("f1.low < -0.1", "f1.low lies from 0 to 1"),
        ("f1.delta < -2", "f1.delta lies from -1 to 1"),
        ("f1.delta_high > 1", "is false whatever"),
        ("f1.p > 5", "f1.p lies from 0 to 1"),
        ("bleu < 101", "bleu.value lies from 0 to 100"),
        ("mae < -1", "mae.value lies from 0 to inf"),
        ("f1 < 0.5 and f1.p_adjusted >= 0", "f1.p_adjusted >= 0 is true"),
    ],
)
def test_a_threshold_that_decides_alone_is_refused(text, told):
    gate = conditions.parse(text, (*METRICS, "bleu", "mae"))
    with pytest.raises(UserError) as caught:
        gates.check(gate, by=[], baseline=True, adjust="holm")
    assert told in caught.value.reason
    assert caught.value.code == Exit.USAGE


@pytest.mark.parametrize(
    "text",
    ["f1 < 1", "f1 > 0", "f1 <= 0", "f1 == 0.5", "f1 != 0.5", "f1.delta < 0", "mae < 1e9",
     "f1.n < 1000", "f1.n_errors > 0", "f1.p < 0.05"],
)  # fmt: skip
def test_a_threshold_within_reach_is_taken(text):
    gate = conditions.parse(text, (*METRICS, "mae"))
    gates.check(gate, by=[], baseline=True, adjust="holm")


@pytest.mark.parametrize(
    ("text", "outcome", "numbers"),
    [
        ("f1 < 0.75", "passed", [0.75]),
        ("f1 <= 0.75", "fired", [0.75]),
        ("f1 > 0.75", "passed", [0.75]),
        ("f1 >= 0.75", "fired", [0.75]),
        ("f1 == 0.75", "fired", [0.75]),
        ("f1 != 0.75", "passed", [0.75]),
        ("f1.low < 0.6", "fired", [0.5]),
        ("f1.high < 0.6", "passed", [0.875]),
        ("f1.delta < 0", "fired", [-0.125]),
        ("f1.delta_low < -0.2", "fired", [-0.25]),
        ("f1.delta_high < 0", "passed", [0.0625]),
        ("f1.p_adjusted > 0.4", "fired", [0.5]),
        ("f1.n_errors > 1", "fired", [2]),
        ("f1.n < 9", "passed", [9]),
        ("f1.delta < 0 and f1.p < 0.05", "passed", [-0.125, 0.25]),
        ("f1.delta < 0 and f1.p < 0.5", "fired", [-0.125, 0.25]),
        ("f1@lang=en < 0.5", "fired", [0.25]),
        ("f1@level=3 < 0.5", "fired", [0.125]),
        ("f1@level=null > 0", "fired", [1.0]),
        ("f1@level=3,lang=en < 0.1", "fired", [0.0]),
    ],
)
def test_verdicts(text, outcome, numbers):
    verdict = gates.judge(parse(text), SUMMARIES)
    assert (verdict.outcome, [f.number for f in verdict.findings]) == (outcome, numbers)


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("f1 < 0.5 surely", "passed"),  # the interval is 0.5 to 0.875
        ("f1 <= 0.5 surely", "undecided"),
        ("f1 < 0.6 surely", "undecided"),
        ("f1 < 0.875 surely", "undecided"),
        ("f1 < 0.876 surely", "fired"),
        ("f1 > 0.5 surely", "undecided"),
        ("f1 >= 0.5 surely", "fired"),
        ("f1 > 0.875 surely", "passed"),
        ("f1.delta < -0.02 surely", "undecided"),
        ("f1.delta < -0.3 surely", "passed"),
        ("f1 < 0.6 surely and f1 < 0.7", "passed"),  # what is false decides
        ("f1 < 0.6 surely and f1 < 0.8", "undecided"),
        ("f1 < 0.9 surely and f1 < 0.8", "fired"),
    ],
)
def test_surely_decides_on_the_interval_or_not_at_all(text, outcome):
    assert gates.judge(parse(text), SUMMARIES).outcome == outcome


def test_what_fails_a_run():
    fired, passed, undecided = (
        gates.judge(parse(text), SUMMARIES) for text in ("f1 < 1", "f1 < 0", "f1 < 0.6 surely")
    )
    assert [v.fails("pass") for v in (fired, passed, undecided)] == [True, False, False]
    assert [v.fails("fail") for v in (fired, passed, undecided)] == [True, False, True]


def test_a_verdict_as_a_line():
    assert str(gates.judge(parse("f1.delta < 0"), SUMMARIES)) == "f1.delta < 0 is true: -0.125"
    gate = conditions.Gate(
        "f1 < 0.6 surely", parse("f1 < 0.6 surely").comparisons, "floor", "agreed"
    )
    assert str(gates.judge(gate, SUMMARIES)) == (
        "floor: f1 < 0.6 surely is undecided, too few data: 0.75 in 0.5 .. 0.875 (agreed)"
    )


def test_a_verdict_for_the_report():
    assert gates.judge(parse("f1 < 0.6 surely"), SUMMARIES).as_dict() == {
        "gate": "f1 < 0.6 surely",
        "name": None,
        "reason": None,
        "verdict": "undecided",
        "numbers": [0.75],
        "intervals": [(0.5, 0.875)],
    }


def test_a_number_that_is_not_there_never_passes():
    nothing = summary(by={"lang": "en"}, value=None, ci95=None)
    for text in ("f1@lang=en > 0.9", "f1.low@lang=en > 0.9", "f1@lang=en > 0.9 surely"):
        with pytest.raises(UserError, match="every row it needs is an error") as caught:
            gates.judge(parse(text), [nothing])
        assert caught.value.code == Exit.BAD_DATA
    with pytest.raises(UserError) as caught:
        gates.judge(parse("f1@lang=en > 0.9"), [summary(by={"lang": "eng"})])
    assert str(caught.value) == (
        "--fail-if: f1@lang=en > 0.9: no row has lang=en\n  hint: did you mean 'lang=eng'?"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f1.p < 0.05", "f1.p compares with a baseline\n  hint: name it with --baseline FILE"),
        (
            "f1.delta_low < 0",
            "f1.delta_low compares with a baseline\n  hint: name it with --baseline FILE",
        ),
        (
            "f1@split=a < 1",
            "f1@split=a < 1 is about a slice that is not made\n  hint: add --by split",
        ),
        (
            "f1@split=a,lang=b < 1",
            "f1@split=a,lang=b < 1 is about a slice that is not made\n  hint: add --by split,lang",
        ),
    ],
)
def test_gates_that_the_settings_cannot_answer(text, message):
    with pytest.raises(UserError) as caught:
        gates.check(parse(text), by=[["lang"]], baseline=False, adjust="holm")
    assert (caught.value.code, str(caught.value)) == (Exit.USAGE, f"--fail-if: {message}")
    made = [["lang", "split"], ["split"]]
    gates.check(parse(text), by=made, baseline=True, adjust="holm")


def test_an_adjusted_p_value_that_is_left_out():
    gate = parse("f1.p_adjusted < 0.05")
    with pytest.raises(UserError, match="left out by --adjust none"):
        gates.check(gate, by=[], baseline=True, adjust="none")


def test_gates_of_a_file(write):
    file = write(
        "g.toml",
        'fail-if = ["f1 < 0.8"]\n[[gate]]\nfail-if = "f1.delta < 0 surely"\n'
        'name = "no worse"\nreason = "release rule"\n[[gate]]\nfail-if = "f1 > 1"\n',
    )
    assert gates.read_gates(file) == [
        ("f1 < 0.8", None, None, f"{file}: gate 1"),
        ("f1.delta < 0 surely", "no worse", "release rule", f"{file}: gate 2"),
        ("f1 > 1", None, None, f"{file}: gate 3"),
    ]


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("", "holds no gates"),
        ("fail-if = []", "holds no gates"),
        ('fail-if = "f1 < 1"', "holds no gates"),
        ('fail_if = ["f1 < 1"]', "unknown key 'fail_if'"),
        ("fail-if = [1]", "fail-if must be a text, got 1"),
        ('[[gate]]\nname = "x"', "has no fail-if"),
        ('[[gate]]\nfail-if = "f1 < 1"\nwhy = "x"', "unknown key 'why'"),
        ('[[gate]]\nfail-if = "f1 < 1"\nname = 3', "name must be a text, got 3"),
        ("gate = [1]", "must be a table"),
        ("gate = ", "not TOML"),
    ],
)
def test_files_that_hold_no_gates(write, toml, reason):
    with pytest.raises(UserError) as caught:
        gates.read_gates(write("g.toml", toml))
    assert caught.value.code == Exit.USAGE
    assert reason in str(caught.value)
