"""answerer: answers run in a module of their own, alike every time."""

from __future__ import annotations

from instructune.codebox import Job


def passes(sandbox, answer, tests):
    (found,) = sandbox.run([Job(answer, tests)])
    assert found.passed, found.reason


def test_a_main_block_does_not_run(sandbox):
    answer = "x = 1\nif __name__ == '__main__':\n    x = int(input())"
    passes(sandbox, answer, "assert x == 1")


def test_modules_like_dataclasses_find_their_module(sandbox):
    answer = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: 'int' = 3"
    passes(sandbox, answer, "assert P(4).x == 4 and P() == P(3)")


def test_random_numbers_are_the_same_every_time(sandbox):
    job = Job("import random\ndef f(): return random.random()", "raise Exception(f())")
    assert len({verdict.reason for verdict in sandbox.run([job] * 3)}) == 1


def test_installed_packages_can_be_imported(sandbox):
    passes(sandbox, "import numpy as np\ndef f(x): return np.abs(x)", "assert f(-2) == 2")


def test_there_is_no_input_and_output_goes_nowhere(sandbox):
    answer = (
        "def f():\n    print('passed')\n    try: return input()\n    except EOFError: return 'end'"
    )
    passes(sandbox, answer, "assert f() == 'end'")


def test_big_and_deep_values_fail_in_words(sandbox):
    answer = (
        "def big(): return 'x' * (17 << 20)\ndef deep():\n    x = []\n    x.append(x)\n    return x"
    )
    big, deep = sandbox.run([Job(answer, f"assert {name}() == 1") for name in ("big", "deep")])
    assert big.reason.startswith("ValueError: a value of more than 16 MiB")
    assert deep.reason.startswith("RecursionError")
