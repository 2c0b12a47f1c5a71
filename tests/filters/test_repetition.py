"""repetition: lines, runs of words, letters."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.filters.repetition import Filter, Options
from instructune.records import Record

PROSE = (
    "The river rises early in the year and floods the lower fields, so farmers sow late; in a dry"
    " spring they open the old sluice by hand, and the water finds its way along the ditches."
)


def reason(answer: str, prompt: str = "q", **options: object) -> str | None:
    turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
    return Filter(Options(**options))(Record(id="1", messages=turns))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (PROSE, None),
        ("I do not know what to say. " * 8, "answer repeats itself"),
        ("我不知道该说什么才好。" * 8, "answer repeats itself"),
        ("哈" * 21, "answer repeats a letter"),
        ("no" + "o" * 19, None),
        ("=" * 80, None),
        ("\n".join(["one line", "two lines", "one line", "one line"] * 2), "answer repeats lines"),
        ("```\n" + "    }\n    return x;\n" * 9 + "```", None),
        ("yes yes yes yes", None),
    ],
)
def test_answers(answer, expected):
    assert reason(answer) == expected


def test_limits_and_sides():
    loop = "again and once more " * 10
    assert reason(loop, max_ngrams=1) is None
    assert reason(loop, min_words=41) is None
    assert reason("ok", loop) is None
    assert reason("ok", loop, side="both") == "prompt repeats itself"
    assert reason("aaa", max_run=2) == "answer repeats a letter"
    lines = "line one\nline one\nline one\nline one\n" + PROSE
    assert reason(lines, max_lines=1, max_ngrams=1) is None
    assert reason("a b c d e f g h " * 3, n=9, min_words=10) == "answer repeats itself"
    assert reason("a b c d e f g h " * 3, n=9, min_words=10, max_ngrams=0.6) is None
    assert Filter(Options())(Record(id="1", text=loop)) == "text repeats itself"
    with pytest.raises(UserError, match="at least 1"):
        Options(n=0)
