"""Parts in Chinese: numbered items, characters of each line or sentence, scripts, marks."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("用编号列表给出至少三条建议。", [("numbered_items", {"min": 3})]),
        ("请用编号列出五点理由。", [("numbered_items", {"min": 5, "max": 5})]),
        ("列出5条建议，并加上编号。", [("numbered_items", {"min": 5, "max": 5})]),
        ("请带序号列出优点。", [("numbered_items", {"min": 1})]),
        ("不要用编号。", []),
        ("请用句子的编号来表示你的答案。", []),
        ("每行不超过七个字。", [("line_words", {"max": 7})]),
        ("写一首诗，每行五个字。", [("line_words", {"min": 5, "max": 5})]),
        ("写一首诗，每句七个字。", []),  # of verses, which are no sentences
        ("每句话不超过15个字。", [("sentence_words", {"max": 15})]),
        ("每个句子10到15个字。", [("sentence_words", {"min": 10, "max": 15})]),
        ("每句都要在20个字以内", [("sentence_words", {"max": 20})]),
        ("每句大约20个字", []),
        ("不要使用英文字母和数字。", [("forbid_script", {"kinds": ["latin", "digits"]})]),
        ("不要出现表情符号。", [("forbid_script", {"kinds": ["emoji"]})]),
        ("回答中不要夹杂英文单词。", [("forbid_script", {"kinds": ["latin"]})]),
        ("禁止使用汉字。", [("forbid_script", {"kinds": ["chinese"]})]),
        ("不要用数字编号。", []),
        ("不要用英文回答。", []),
        ("请使用中文标点。", [("chinese_punctuation", {})]),
        ("标点一律用全角。", [("chinese_punctuation", {})]),
        ("不要使用英文标点。", [("chinese_punctuation", {})]),
        ("不要使用中文标点。", []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
