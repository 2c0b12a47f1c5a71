"""refusal: those that refuse, and those that only sound so."""

from __future__ import annotations

import pytest

from instructune.filters.refusal import Filter, Options
from instructune.records import Record


def reason(answer: str, **options: object) -> str | None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}]
    return Filter(Options(**options))(Record(id="1", messages=turns))


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but I can't help with that.",
        "I apologize, but I am unable to provide medical advice.",
        "Unfortunately, I cannot access the internet.",
        "I will not assist you in this.",
        "Sorry, I’m not able to share private data.",
        "That request goes against my guidelines.",
        "It would be inappropriate to answer this.",
        "很抱歉，我无法回答这个问题。",
        "对不起，作为助手我不能帮你做这件事。",
        "我不能提供这类信息。",
    ],
)
def test_refusals(answer):
    assert reason(answer) == "answer refuses"


@pytest.mark.parametrize(
    "answer",
    ["As an AI language model, I don't have feelings.", "作为一个人工智能，我没有个人观点。"],
)
def test_disclaimers(answer):
    assert reason(answer) == "answer says what an AI cannot do"
    assert reason(answer, disclaimers=False) is None


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry to hear that you lost your keys. Try the door at the back.",
        "I cannot recommend this book enough!",
        "I can't help but smile when it rains.",
        "Sorry for the delay; here is the report.",
        "You cannot provide a negative index here.",
        "他很抱歉没能早点回来。",
        "这个问题无法用一句话说清，分三点来看。",
        "你不会拒绝，也不好意思拒绝别人。",
    ],
)
def test_what_only_sounds_so(answer):
    assert reason(answer) is None


def test_only_its_beginning_counts():
    late = "Here it is. " * 30 + "I'm sorry, but I can't help with more."
    assert reason(late) is None
    assert reason(late, within=1000) == "answer refuses"
    assert Filter(Options())(Record(id="1", text="I can't help with that.")) is None
