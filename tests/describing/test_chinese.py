"""Chinese cues: one prompt a task, and the kinds."""

from __future__ import annotations

import pytest

from instructune.describing import describe


@pytest.mark.parametrize(
    ("prompt", "task", "kind"),
    [
        ("判断这句话的情感。\n真好吃！", "classification", ["task"]),
        ("从下文中提取地名。\n他离开了北京。", "extraction", ["task"]),
        ("什么是冰川？", "qa", ["task"]),
        ("翻译成英文：晚安", "translation", ["task"]),
        ("用两句话总结这篇报告。\n销量上升。", "summarisation", ["task", "constraint"]),
        ("请你扮演一名店员，跟我打招呼。", "dialogue", ["task"]),
        ("用Python写一个求和函数。", "code", ["task"]),
        ("寫一首關於老鼠的詩。", "writing", ["task"]),
        ("改写这句话：他走了。", "rewriting", ["task"]),
        ("3只猫和2只鸡一共有几只脚？", "reasoning", ["task"]),
        ("给鹦鹉起几个名字。", "brainstorming", ["task"]),
        ("从现在开始，只用英文回答。", "dialogue", ["constraint"]),
    ],
)
def test_described(prompt, task, kind):
    found = describe(prompt)
    assert (found.task, found.kind) == (task, kind)
