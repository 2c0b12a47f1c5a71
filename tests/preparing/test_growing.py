"""growing: prompts that ask for instructions, and the records that answers make."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.errors import UserError
from instructune.preparing.growing import accepted, question
from instructune.records import Record


def chat(asked: str, answer: str = "", **more: Any) -> Record:
    turns = [{"role": "user", "content": asked}]
    turns += [{"role": "assistant", "content": answer}] * bool(answer)
    return Record({"id": "s1", "messages": turns} | more)


def answered(row: Record, text: str | None, **more: Any) -> Record:
    told = {"sample": 0, "prediction": text, "finish_reason": "stop", "model": "m"}
    return Record(row | told | more)


def test_a_paraphrase_keeps_the_answer():
    seed = chat("Name a red fruit.", "Cherry", task="qa", structure={"action": "name"})
    prompt = question("paraphrase", seed, [])
    assert prompt["id"] == "s1~ask"
    asked = prompt["messages"][0]["content"]
    assert asked.startswith("Say the following request in other words.")
    assert asked.endswith("Request: Name a red fruit.")
    made = accepted(answered(prompt, 'Request: "Tell me a fruit that is red."', sample=1))
    assert made == {
        "id": "s1~paraphrase2",
        "messages": [
            {"role": "user", "content": "Tell me a fruit that is red."},
            {"role": "assistant", "content": "Cherry"},
        ],
        "task": "qa",
        "group": "s1",
        "generated": {"kind": "paraphrase", "model": "m", "sample": 1, "of": "s1"},
    }
    plain = question("paraphrase", Record({"id": "t", "text": "What is it?", "label": "q"}), [])
    made = accepted(answered(plain, "What might it be?"))
    assert (made["text"], made["label"], made["group"]) == ("What might it be?", "q", "t")


def test_a_new_instruction_is_a_prompt_alone():
    prompt = question("new-instruction", chat("写一首诗"), ["写一首诗", "翻译这句话"])
    asked = prompt["messages"][0]["content"]
    assert "1. 写一首诗\n2. 翻译这句话\n" in asked
    made = accepted(answered(prompt, "3. 列出三种水果"))
    assert made == {
        "id": "s1~new-instruction1",
        "messages": [{"role": "user", "content": "列出三种水果"}],
        "generated": {"kind": "new-instruction", "model": "m", "sample": 0, "of": "s1"},
    }


def test_other_answers_become_chats():
    row = answered(chat("Hi", n=1), "Hello!", usage={})
    made = accepted(row)
    assert [turn["content"] for turn in made["messages"]] == ["Hi", "Hello!"]
    assert made["n"] == 1
    assert made["generated"] == {"kind": "answer", "model": "m", "sample": 0}
    assert not {"prediction", "sample", "model", "usage", "finish_reason"} & set(made)


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        (None, {"finish_reason": "error"}, "the model gave no answer"),
        ("Say it", {"finish_reason": "length"}, "the answer was cut short"),
        (" \n", {}, "the answer is empty"),
        ("I'm sorry, but I cannot help with that.", {}, "the answer is a refusal"),
        ("Hm?", {}, "an instruction of fewer than 3 or more than 150 words"),
        ("word " * 151, {}, "an instruction of fewer than 3 or more than 150 words"),
    ],
)
def test_answers_that_are_of_no_use(text, more, reason):
    row = answered(question("paraphrase", chat("Name a fruit."), []), text, **more)
    assert accepted(row) == row | {"unusable": reason}


@pytest.mark.parametrize(
    ("said", "instruction"),
    [
        ("**New request:** Sort these three numbers", "Sort these three numbers"),
        ("- Sort these three numbers", "Sort these three numbers"),
        ("新请求：请写三个句子", "请写三个句子"),
        ("“请写三个句子”", "请写三个句子"),
        ("Sort these:\n1. a\n2. b", "Sort these:\n1. a\n2. b"),
        ("7 apples cost how much?", "7 apples cost how much?"),
    ],
)
def test_the_instruction_alone(said, instruction):
    row = answered(question("paraphrase", chat("Name a fruit."), []), said)
    assert accepted(row)["messages"][0]["content"] == instruction


def test_an_unknown_kind():
    with pytest.raises(UserError, match="--ask: unknown kind 'poem'"):
        question("poem", chat("a"), [])
