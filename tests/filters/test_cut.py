"""cut: answers that stop too soon, and those that only look so."""

from __future__ import annotations

import pytest

from instructune.filters.cut import Filter, Options
from instructune.records import Record

FENCE, OPEN, WITHIN = (
    "answer ends inside a code fence",
    "answer ends inside brackets",
    "answer ends within a sentence",
)
LONG = "It was late. Nobody in the whole of the town had seen the man who kept the"


def reason(answer: str, **options: object) -> str | None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}]
    return Filter(Options(**options))(Record(id="1", messages=turns))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("See:\n```python\nprint(1)", FENCE),
        ('{"a": [1, 2', OPEN),
        ("First we boil the water,", WITHIN),
        ("我们首先需要准备好材料，", WITHIN),
        ("He said that he would come because", WITHIN),
        ("这个方法不好用，因为", WITHIN),
        (LONG, WITHIN),
        (LONG + " bridge in the old days of the ferry", WITHIN),
    ],
)
def test_cut(answer, expected):
    assert reason(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "Paris",
        "See:\n```python\nprint(1,\n```",
        '{"a": "}"}',
        "[1, 2]",
        "It was late. He left :-)",
        "红色、蓝色和绿色",
        "Three of them:\n- a red one\n- a blue one nobody in the house had ever wanted to keep",
        "x = f(a,\n      b)",
        "Here it ends.",
        "好的。就这样！",
        "Look at it here. https://example.org/a/b",
        "def f(x):\n    return x",
    ],
)
def test_whole(answer):
    assert reason(answer) is None


def test_each_look_can_be_left_out():
    assert reason("```\nx", fences=False, sentences=False) is None
    assert reason('{"a": [1', brackets=False) is None
    assert reason("First we boil the water,", sentences=False) is None
    assert reason(LONG + " bridge in the old days of the ferry", min_words=0) is None
