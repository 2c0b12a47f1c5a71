"""Negation: what must not be is not taken for what must."""

from __future__ import annotations

import pytest

from instructune.constraints.found import found
from instructune.constraints.negation import negated


@pytest.mark.parametrize(
    "prompt",
    [
        "Do not answer in French.",
        "Never respond in German.",
        "Don't use all caps.",
        'Do not start your reply with "Sure".',
        "Don’t write your answer in bullet points.",
        "Do not use bullet points or answer in French.",
        "Do not respond with JSON.",
        "Avoid writing in all lowercase.",
        "Do not wrap your answer in double quotation marks.",
        "不要用英文回答。",
        "请勿使用法语回答。",
        "不要以JSON格式返回。",
        "不要以“好的”开头。",
        "不要使用项目符号。",
        "不要用双引号括起来。",
        "标题不要用书名号。",
        "不要用繁体中文。",
    ],
)
def test_nothing_is_asked_for(read, prompt):
    assert read(prompt) == []


@pytest.mark.parametrize(
    ("prompt", "check"),
    [
        ("Reply in English, not in French.", "response_language"),
        ("Do not be rude and answer in French.", "response_language"),
        ("Don't forget to answer in French.", "response_language"),
        ("Do not hold back. Use all caps.", "all_upper"),
        ("Do not write more than 3 paragraphs.", "paragraphs"),
        ("Do not use commas.", "no_commas"),
        ("Do not use bullet points first. Then use bullet points.", "bullet_points"),
        ("不要跑题，用英文回答。", "response_language"),
        ("不要忘记用英文回答。", "response_language"),
        ("不要超过100个字。", "max_chars"),
        ("不要使用逗号。", "no_commas"),
    ],
)
def test_other_negations_leave_it_alone(read, prompt, check):
    assert check in [name for name, _ in read(prompt)]


def test_a_place_that_is_not_there_is_not_negated():
    assert not negated("do not do it", found("title", "else"))
    assert negated("do not  use\nit", found("title", "use it"))
