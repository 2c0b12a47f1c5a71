"""errors: how a failure is told."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, Signalled, UserError, did_you_mean, usage, visible


def test_an_error_reads_where_reason_hint():
    error = UserError("no such file", where="a.jsonl", hint="look again", code=Exit.NO_INPUT)
    assert str(error) == "a.jsonl: no such file\n  hint: look again"
    assert str(UserError("no rows")) == "no rows"
    assert error.as_dict() == {
        "error": "no such file",
        "where": "a.jsonl",
        "hint": "look again",
        "code": 66,
    }


def test_bad_data_is_the_default_and_usage_is_2():
    assert UserError("x").code == 65
    assert usage("x", where="--id").code == 2


def test_the_exit_codes_are_the_documented_ones():
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 65, 66, 69, 70, 71, 73, 74, 75, 77, 78]


@pytest.mark.parametrize(
    ("name", "choices", "hint"),
    [
        ("rogue_l", ["bleu", "rouge_l", "chrf"], "did you mean 'rouge_l'?"),
        ("ROUGE_L", ["bleu", "rouge_l"], "did you mean 'rouge_l'?"),
        ("Train.JSONL", ["train.jsonl"], "did you mean 'train.jsonl'?"),
        ("zzz", ["b", "a"], "choose from a, b"),
        ("zzz", [], "there are none"),
    ],
)
def test_did_you_mean(name, choices, hint):
    assert did_you_mean(name, choices) == hint


def test_what_could_drive_a_terminal_becomes_visible():
    assert visible("plain, ünïcode, 汉字, \t and\nlines") == "plain, ünïcode, 汉字, \t and\nlines"
    assert visible("\x1b]52;c;x\x07") == "\\x1b]52;c;x\\x07"
    assert visible("a\rb\x7f\x9b\x00") == "a\\rb\\x7f\\x9b\\x00"
    assert visible("\u202eevil\u2066\u2028") == "\\u202eevil\\u2066\\u2028"
    assert visible("caf\udce9") == "caf\\udce9"


def test_nothing_hostile_survives():
    every = "".join(map(chr, range(0x3000))) + "\ud800\udfff"
    left = visible(every)
    assert not [c for c in left if (ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0]
    left.encode()  # no surrogate


def test_a_signal_is_not_an_exception_that_code_may_catch():
    assert not isinstance(Signalled(15), Exception)
    assert Signalled(15).number == 15
    assert Signalled(15).message == ""
