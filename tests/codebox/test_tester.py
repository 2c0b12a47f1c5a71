"""tester: whose a name is, what counts as a test, and how failures are told."""

from __future__ import annotations

import pytest

from instructune.codebox import Job

UNIT = """
import unittest
class Tests(unittest.TestCase):
    def test_f(self): self.assertEqual(f(1), 2)
    {more}
if __name__ == '__main__': unittest.main()
"""


def verdict(sandbox, answer, tests, **more):
    return sandbox.run([Job(answer, tests, **more)])[0]


@pytest.mark.parametrize(
    ("tests", "right"),
    [
        ("assert f(1) == 2", True),
        ("def test_f():\n    assert f(1) == 2", True),
        ("def test_f():\n    assert f(1) == 3", False),
        (UNIT.format(more=""), True),
        (UNIT.format(more="def test_g(self): self.assertEqual(f(1), 3)"), False),
        (UNIT.format(more="def setUp(self): self.skipTest('no')"), False),
        ("assert math.isclose(f(0.5), 1.5)", True),
        ("import sys\nassert f(1) == 2\nsys.exit(0)", False),
        ("f", False),
        ("assert 1 == 1", False),
        ("def helper(x): return f(x)", False),
        ("assert f(1) ==", False),
    ],
)
def test_what_counts_as_a_test(sandbox, tests, right):
    assert verdict(sandbox, "def f(x): return x + 1", tests).passed is right


def test_tests_that_never_use_the_answer_pass_nothing(sandbox):
    found = verdict(sandbox, "def f(x): return x", "assert True")
    assert found == (False, "the tests never use the answer")


def test_a_builtin_is_the_answers_only_where_it_is_what_is_asked_for(sandbox):
    cheat = "def sum(a, b): return 6\ndef abs(x): return 0"
    assert not verdict(sandbox, cheat, "assert sum([1, 2]) == 6").passed
    assert verdict(sandbox, cheat, "assert sum(10, 15) == 6", entry="sum").passed
    reference = ("def sum(a, b): return 6",)
    assert verdict(sandbox, cheat, "assert sum(10, 15) == 6", references=reference).passed
    mine = "def sum(a, b): return 7"
    tests = "assert abs(sum(1, 2) - 6) < .1"
    assert not verdict(sandbox, mine, tests, references=reference).passed


def test_the_prompts_helpers_are_the_tests(sandbox):
    prompt = "def inverse(x):\n    return -x\n\ndef f(x):\n    '''Negate.'''\n"
    tests = "def check(candidate):\n    assert inverse(candidate(3)) == 3"
    assert verdict(sandbox, "    return -x", tests, prompt=prompt, entry="f").passed
    cheat = "    return 0\ndef inverse(x):\n    return 3"
    assert not verdict(sandbox, cheat, tests, prompt=prompt, entry="f").passed


def test_setup_runs_first(sandbox):
    setup = "from math import floor\nHALF = 0.5"
    assert verdict(sandbox, "def f(x): return x", "assert floor(f(HALF)) == 0", setup=setup).passed


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("def f(x) return x", "SyntaxError: expected ':' (answer, line 2)"),
        ("import no_such_thing", "ModuleNotFoundError: No module named 'no_such_thing'"),
        ("def g(x): return x", "NameError: name 'f' is not defined: at assert f(1) == 2"),
        ("def f(x): return [0] * (1 << 40)", "MemoryError: at assert f(1) == 2"),
        ("def f(x): return f(x)", "RecursionError: maximum recursion depth exceeded"),
        ("def f(x): return {}[x]", "KeyError: 1: at assert f(1) == 2"),
        ("def f(x): raise Exception(object())", "Exception: <object object at 0x…>: at"),
    ],
)
def test_failures_are_told_with_the_line(sandbox, answer, reason):
    found = verdict(sandbox, answer, "assert f(1) == 2")
    assert not found.passed
    assert found.reason.startswith(reason)


def test_the_entry_point_must_be_there(sandbox):
    found = verdict(sandbox, "def g(): pass", "def check(c): pass", entry="f")
    assert found == (False, "the answer does not define f")
