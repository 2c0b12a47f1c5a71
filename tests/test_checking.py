"""Running the checks of a record: nothing unknown passes, no answer passes, loose forgives."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.checking import failures, settle
from instructune.checks import checks
from instructune.errors import UserError
from instructune.records import Record

RECORD = Record({"id": "1", "messages": [{"role": "user", "content": "do"}]})

# args with which each check can be run
ARGS: dict[str, dict[str, object]] = {
    "choice": {"options": ["yes", "no"]},
    "chinese_script": {"script": "simplified"},
    "ends_with": {"text": "end"},
    "first_word": {"word": "a"},
    "forbid_words": {"words": ["a"]},
    "forbid_script": {"kinds": ["latin"]},
    "include_words": {"words": ["a"]},
    "json_schema": {"schema": {}},
    "letter_frequency": {"letter": "a", "max": 9},
    "regex": {"pattern": "a*"},
    "repeat_prompt": {"text": "do"},
    "response_language": {"language": "zh"},
    "sections": {"marker": "Part", "max": 9},
    "starts_with": {"text": "a"},
    "word_frequency": {"word": "a", "max": 9},
}
ARGS |= {name: {"n": 9} for name in ("max_words", "min_words", "max_chars", "min_chars")}
_COUNTING = "sentences paragraphs bullet_points placeholders highlights capital_words lines"
_COUNTING += " citations numbered_items line_words sentence_words"
ARGS |= {name: {"max": 9} for name in _COUNTING.split()}


def run(answer, check, loose=False, **args):
    return failures(answer, [{"check": check, "args": args}], RECORD, loose=loose)


@pytest.mark.parametrize("name", checks.names())
@pytest.mark.parametrize("answer", [None, "", " \n\t"])
def test_no_answer_fails_every_check(name, answer):
    for loose in (False, True):
        assert run(answer, name, loose, **ARGS.get(name, {})) == [f"{name}: no answer"]


# code runs only where it is allowed, and has its own tests
SAFE = [name for name in checks.names() if not checks.facts(name).get("RUNS_CODE")]


@pytest.mark.parametrize("name", SAFE)
def test_every_check_runs_with_these_args(name):
    junk = "Lorem, ipsum!\n* dolor\n"
    assert "arg" not in "".join(run(junk, name, **ARGS.get(name, {})))


def test_what_does_not_exist_fails():
    assert run("an answer", "max_word", n=9) == [
        "max_word: unknown check 'max_word' (did you mean 'max_words'?)"
    ]
    assert run(None, "nonsense") != []


def test_each_failed_check_is_told():
    asked = [
        {"check": "no_commas"},
        {"check": "max_words", "args": {"n": 9}},
        {"check": "min_words", "args": {"n": 5}},
    ]
    assert failures("a, b", asked, RECORD) == [
        "no_commas: 1 commas",
        "min_words: 2 words, at least 5 wanted",
    ]
    assert failures("anything", [], RECORD) == []


@pytest.mark.parametrize(
    ("answer", "check", "args"),
    [
        ("Sure, here it is:\nall small", "all_lower", {}),
        ("all small\nHope this helps!", "all_lower", {}),
        ("Sure!\nall small\nBye!", "all_lower", {}),
        ("*{}*", "json_format", {}),
    ],
)
def test_loose_forgives_a_line_around_and_asterisks(answer, check, args):
    assert run(answer, check, **args)
    assert run(answer, check, True, **args) == []


@given(st.text(alphabet='aB ,.*\n-中。"[]<>1'), st.sampled_from(SAFE))
def test_what_passes_strictly_passes_loosely(answer, name):
    args = ARGS.get(name, {})
    if not run(answer, name, **args):
        assert run(answer, name, True, **args) == []


@dataclass(frozen=True)
class Options:
    n: int
    share: float = 0.5
    words: tuple[str, ...] = ()
    flag: bool = False
    most: int | None = None


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": True}, "n must be a whole number, got True"),
        ({"n": 1.0}, "n must be a whole number, got 1.0"),
        ({"n": 1, "share": "1"}, "share must be a number, got '1'"),
        ({"n": 1, "share": False}, "share must be a number, got False"),
        ({"n": 1, "words": ["a", 1]}, "words must be a list of strings, got ['a', 1]"),
        ({"n": 1, "flag": 1}, "flag must be true or false, got 1"),
        ({"n": 1, "most": "2"}, "most must be a whole number, got '2'"),
        ({}, "needs the arg 'n'"),
        ({"n": 1, "m": 1}, "has no arg 'm'"),
    ],
)
def test_args_of_the_wrong_type(args, reason):
    with pytest.raises(UserError) as caught:
        settle(Options, args)
    assert caught.value.reason == reason


def test_args_of_the_right_type():
    given = {"n": 0, "share": 1, "words": ["a"], "flag": True, "most": None}
    assert settle(Options, given) == Options(0, 1, ("a",), True, None)


def test_the_verdict_does_not_depend_on_the_process():
    program = (
        "from instructune.checking import failures\n"
        "asked = [{'check': 'include_words', 'args': {'words': ['x', 'y', 'z']}},\n"
        "         {'check': 'sections', 'args': {'marker': 'Part', 'min': 3}}]\n"
        "print(failures('Part 1', asked, {}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1
