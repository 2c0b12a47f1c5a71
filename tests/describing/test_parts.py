"""Where the instruction ends and its material begins, and what counts as a worked example."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.describing.parts import demonstrated, parts


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("What is it?", ("What is it?", None)),
        ("Summarise this.\n\nLong text.", ("Summarise this.", "Long text.")),
        ("Summarise this.\nLong text.\nMore.", ("Summarise this.", "Long text.\nMore.")),
        ("Translate into French: the door is open", ("Translate into French", "the door is open")),
        (
            "把下面的句子翻译成英文：图书馆六点关门。",
            ("把下面的句子翻译成英文", "图书馆六点关门。"),
        ),
        ('Explain "a long quoted sentence" to me', ("Explain … to me", "a long quoted sentence")),
        ('Explain "it" to me', ('Explain "it" to me', None)),
        ("A long story.\nIt ends. Who won?", ("A long story. Who won?", "It ends. Who won?")),
        ("a -> b\nc -> d\ne ->", ("", None)),
        ("Go on.\n\na -> b\nc -> d\ne ->", ("Go on.", None)),
    ],
)
def test_parts(prompt, expected):
    assert parts(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "example"),
    [
        ("Q: one\nA: 1\n\nQ: two\nA:", "Q: one\nA: 1"),
        ("问：一\n答：1\n问：二\n答：", "问：一\n答：1"),
        ("a -> b\nc -> d\ne ->", "a -> b"),
        ("1 + 1 = 2\n2 + 2 = 4\n3 + 3 =", "1 + 1 = 2"),
        ("def a():\n    pass\n\ndef b():\n    pass\n\ndef c():", "def a():\n    pass"),
        ("Continue.\nA: hello\nB: hi\nA:", None),
        ("Q: one\nA: 1\nQ: two\nA: 2", None),
        ("a -> b\nc ->", None),
        ("x = 1\ny = 2", None),
        ("Name: Ann\nAge:", None),
        ("", None),
    ],
)
def test_worked_examples(prompt, example):
    assert demonstrated(prompt) == example


@given(st.text(alphabet="aQ: \n->=：“”.?"))
def test_any_text_has_parts(prompt):
    split = parts(prompt)
    assert split.input is None or split.input.strip()
