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
        ("We would need a lot of", None),  # nothing shows that it goes on: "what we dream of"
        ("There is more to it than that, and I’m", WITHIN),
        ("It is one of the best examples of a", WITHIN),
        ("This lowers the noise in the data. For", WITHIN),
        ("Here is the whole list:", WITHIN),
        ("接下来需要注意以下几点：", WITHIN),
        ("The sum is then 1 + 2 +", WITHIN),
        ("She looked up and said “", WITHIN),
        ("````md\n```\nx\n```\ny", FENCE),
        ("~~~\nx\n```", None),  # whatever it closes, it closes something
        ("```\nx\n```\n```python", FENCE),
        ("{'a': ['}'", OPEN),
    ],
)
def test_cut(answer, expected):
    assert reason(answer) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "42",
        "Paris",
        "Paris\n",
        "B",
        "Super Bowl LII,",
        "The Lord of the Rings: The Return of the King",
        "A short history of nearly everything that people believe in",
        "I have lived there for quite a while",
        "It is not the place where she comes from",
        "Both sides have their strengths, and the choice comes down to taste. "
        "In the end it is a matter of what you need and of what you are used to",
        "苹果很甜。因为它们对身体健康很有好处，所以我每天都要吃一个苹果来补充各种维生素",
        "那座金字塔位于非洲东北部的埃及",
        "她对孩子们说话的语气总是十分温和",
        "The correct answer to it is option a",
        "In English the articles are a, an, the",
        "The best of them all is C++",
        "I did not pass the test :(",
        "He turned round and said “hello“",
        "x lies in this interval: [0, 1)",
        "[0, 1)",
        '["it\'s [", "isn\'t"]',
        "['[']",
        "SELECT name FROM users ORDER BY age DESC;",
        "    int total = a + b + c;",
        "return the sum of all of them;",
        "one of the red ones,\ntwo of the green ones there,\nand one of the blue ones,",
        "Thank you for all your help.\n\nWith all best wishes,",
        "```print(1)```",
        "````md\n```\nx\n```\n````",
        "I am sure: the cat of the house is the one who has it",
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


def test_a_missing_stop_is_minded_where_asked():
    ended = LONG + " bridge in the old days of the ferry"
    assert reason(ended) is None
    assert reason(ended, min_words=12) == WITHIN
    assert reason(ended, min_words=30) is None
    assert reason(ended + ".", min_words=12) is None
    assert reason("- " + ended, min_words=12) is None
