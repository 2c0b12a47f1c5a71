"""Chinese lengths: what is asked for, and what only looks like it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("请用不超过100个字介绍杭州。", [("max_chars", {"n": 100, "count": "zi"})]),
        ("写不少于五百字的文章。", [("min_chars", {"n": 500, "count": "zi"})]),
        ("字数控制在200字以内。", [("max_chars", {"n": 200, "count": "zi"})]),
        (
            "写一篇800字左右的作文。",
            [("min_chars", {"n": 720, "count": "zi"}), ("max_chars", {"n": 880, "count": "zi"})],
        ),
        (
            "写一段50到80字的简介。",
            [("min_chars", {"n": 50, "count": "zi"}), ("max_chars", {"n": 80, "count": "zi"})],
        ),
        ("每句不超过20个字。", [("sentence_words", {"max": 20})]),
        ("他寄来了三百字的信。", []),
        ("用不超过50个单词回答。", [("max_words", {"n": 50})]),
        ("用一句话概括全文。", [("sentences", {"min": 1, "max": 1})]),
        ("至少四句话。", [("sentences", {"min": 4})]),
        ("这两句话有什么不同？", []),
        ("分为三段来写。", [("paragraphs", {"min": 3, "max": 3})]),
        ("把脚本写在一行内。", [("lines", {"min": 1, "max": 1})]),
        ("归纳成三个要点。", [("bullet_points", {"min": 3, "max": 3})]),
        ("用无序列表回答。", [("bullet_points", {"min": 1})]),
        ("至少五个占位符，如[姓名]。", [("placeholders", {"min": 5})]),
        ("至少加粗三处。", [("highlights", {"min": 3})]),
        ("分为五个部分，每部分以“第X部分”开头。", [("sections", {"marker": "第X部分", "min": 5})]),
        ("至少引用三篇文献。", [("citations", {"min": 3})]),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
