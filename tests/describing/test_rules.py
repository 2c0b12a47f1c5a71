"""The weightiest words win; the words that decided are named."""

from __future__ import annotations

import re

from instructune.describing.parts import Parts
from instructune.describing.rules import Rules, cues, judge

NEVER = re.compile("(?!)")
TABLE = {"sing": [(3, "sing"), (2, "loud")], "run": [(4, "run")], "count": [(4, "*[0-9]")]}
RULES = Rules(cues(re.IGNORECASE, TABLE), NEVER, NEVER, NEVER, {})


def verdict(instruction, prompt=""):
    return judge(RULES, Parts(instruction, None), prompt or instruction)


def test_weights_add_up():
    assert verdict("Sing and run") == ("run", ["run"], True)
    assert verdict("Sing loud and run") == ("sing", ["Sing", "loud"], True)


def test_the_first_in_the_table_wins_a_tie():
    assert verdict("run 3").task == "run"


def test_some_cues_are_looked_for_in_the_whole_prompt():
    assert verdict("go", "go 3") == ("count", ["3"], False)
    assert verdict("go", "go run") == (None, [], False)


def test_nothing_is_guessed():
    assert verdict("walk") == (None, [], False)
