"""boilerplate: baked-in templates, end marks, listed lines."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from instructune.records import Record
from instructune.transforms.boilerplate import Options, Transform

PREAMBLE = "Below is an instruction that describes a task. Write a response that completes it.\n\n"


def stripped(ask: str, answer: str = "ok", **options: Any) -> tuple[str, str, dict[str, int]]:
    turns = [{"role": "user", "content": ask}, {"role": "assistant", "content": answer}]
    changes: Counter[str] = Counter()
    (after,) = Transform(Options(**options))(Record(id="a", messages=turns), changes)
    return *(turn["content"] for turn in after["messages"]), dict(changes)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (f"{PREAMBLE}### Instruction:\nWhy?\n\n### Response:", "Why?"),
        (
            f"{PREAMBLE}### Instruction:\nSum\nit\n\n### Input:\n1\n\n### Response:\n",
            "Sum\nit\n\n1",
        ),
        ("### 指令：\n翻译\n\n### 输入：\n你好\n\n### 回答：", "翻译\n\n你好"),
        ("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "Hi"),
        ("<s>[INST] Hi [/INST]", "Hi"),
        ("USER: Hi ASSISTANT:", "Hi"),
    ],
)
def test_templates(given, left):
    assert stripped(given) == (left, "ok", {"prompt templates taken out": 1})
    assert stripped(given, templates=False) == (given, "ok", {})


@pytest.mark.parametrize(
    "text",
    [
        "Below is an instruction that describes a task. Is it a good one?",
        "What does [INST] mean?",
        "<|im_start|>system\nBe kind<|im_end|>\n<|im_start|>user\nHi<|im_end|>",
        "Explain '### Instruction:' to me",
    ],
)
def test_what_only_speaks_of_templates(text):
    assert stripped(text) == (text, "ok", {})


@pytest.mark.parametrize("mark", ["###eos_token###", "</s>", "\n<|im_end|>\n", "<|endoftext|>"])
def test_end_marks(mark):
    assert stripped("a", f"good{mark}") == ("a", "good", {"end marks taken out": 1})
    assert stripped("a", f"good{mark}", marks=False)[1] == f"good{mark}"
    assert stripped("a", f"a{mark} b")[1] == f"a{mark} b"


def test_listed_lines(write):
    name = write("lines.txt", "Subscribe to our newsletter!\n版权所有\n")
    answer = "one\n  Subscribe to our newsletter! \ntwo 版权所有\n版权所有"
    assert stripped("a", answer, file=name) == (
        "a",
        "one\ntwo 版权所有\n",
        {"listed lines taken out": 1},
    )


def test_all_of_dolly(shared):
    """Each prompt of the sample bears the template, each answer the mark."""
    lines = (shared / "dolly/dolly_sample.jsonl").read_text("utf-8").splitlines()
    for row in map(json.loads, lines):
        ask, answer, changes = stripped(row["prompt"], row["answer"])
        assert "###" not in ask
        assert ask in row["prompt"] or "### Input" in row["prompt"]
        assert "eos_token" not in answer
        assert changes["prompt templates taken out"] == 1
