"""programs: which code an answer means, in each shape that models give it."""

from __future__ import annotations

import pytest

from instructune.codebox.programs import classes, defined, prelude, program

PROMPT = 'import math\n\ndef double(x):\n    """Twice x."""\n'
BODY = "    y = x + x\n    return y\n"


def result(answer: str, prompt: str = PROMPT, entry: str | None = "double"):
    space: dict = {}
    exec(compile(program(answer, prompt, entry), "p", "exec"), space)
    return space["double"](21)


@pytest.mark.parametrize(
    "answer",
    [
        BODY,
        BODY.strip(),  # trimming took the first line's indentation
        "y = x + x\nreturn y",  # or all of it
        f"{BODY}\n\nprint('more')\n",
        "def double(x):\n    return int(math.ldexp(x, 1))",  # the prompt's import is there
        PROMPT + BODY,
        f"Here you are:\n\n```python\n{PROMPT}{BODY}```\nIt adds.",
        f"```\n{BODY}```",
        f"~~~py\n{PROMPT}{BODY}",  # cut off before the fence ends
        "First a helper:\n```python\nh = 3\n```\nthen\n```python\ndef double(x): return x * 2\n```",
        "1. Like so:\n   ```python\n   def double(x):\n       return x * 2\n   ```",
        "```python\ndef double(x): return x * 2\n```\nTry it:\n```\n$ python double.py\n42\n```",
    ],
)
def test_shapes_of_an_answer(answer):
    assert result(answer) == 42


def test_an_answer_to_prose_is_the_program():
    prompt = "Write a function double(x)."
    assert program("def double(x): return 2 * x", prompt, None) == "\ndef double(x): return 2 * x"
    assert result("def double(x): return 2 * x", prompt, None) == 42
    assert result("def double(x): return 2 * x", prompt, "double") == 42


def test_the_prompts_code_may_be_fenced():
    assert result(BODY, f"Complete this:\n```python\n{PROMPT}```") == 42


def test_several_blocks_without_an_entry_point_are_one_program():
    assert program("```\na = 1\n```\n```\nb = 2\n```", "", None) == "\na = 1\n\nb = 2\n"


def test_what_is_no_python_is_left_to_fail():
    with pytest.raises(SyntaxError):
        result("I cannot help with that.")


def test_the_prelude_of_a_prompt():
    assert prelude(PROMPT) == PROMPT
    assert prelude("def f(x):\n") == "def f(x):\n    pass\n"
    assert prelude("Hello") is prelude("") is prelude("Write f.") is None


def test_names():
    code = "import os as o\nfrom re import sub\nA = 1\ndef f(): g = 1\nclass C: pass"
    assert defined(code) == {"o", "sub", "A", "f", "C"}
    assert classes(code) == {"C"}
    assert defined("def f(:") == classes("(" * 10_000) == set()
