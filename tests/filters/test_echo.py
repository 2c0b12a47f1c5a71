"""echo: the prompt again, whole or in front."""

from __future__ import annotations

import pytest

from instructune.filters.echo import Filter, Options
from instructune.records import Record

ASK = "Name three rivers in France, please."


def reason(prompt: str, answer: str | None, **options: object) -> str | None:
    turns = [{"role": "user", "content": prompt}]
    if answer is not None:
        turns.append({"role": "assistant", "content": answer})
    return Filter(Options(**options))(Record(id="1", messages=turns))


@pytest.mark.parametrize(
    ("prompt", "answer", "expected"),
    [
        (ASK, "name three rivers in france, PLEASE", "answer is the prompt"),
        (ASK, f"{ASK} Loire, Seine, Rhône.", "answer begins with the prompt"),
        (ASK, "Three rivers in France are the Loire, the Seine and the Rhône.", None),
        ("Paris", "Paris is in France.", None),
        ("请列出三条河流。", "请列出三条河流：长江", "answer begins with the prompt"),
        (ASK, None, None),
        ("...", "!!!", None),
    ],
)
def test_echoes(prompt, answer, expected):
    assert reason(prompt, answer) == expected


def test_limits():
    assert reason("Paris", "Paris is", min_words=1) == "answer begins with the prompt"
    text = " ".join(f"w{i}" for i in range(40))
    assert reason(f"Mend: {text}", f"{text} end") is None
    assert reason(f"Mend: {text}", f"{text} end", max_share=0.9) == "answer is mostly the prompt"
    assert reason(f"Mend: {text}", text[:60], max_share=0.9) is None
