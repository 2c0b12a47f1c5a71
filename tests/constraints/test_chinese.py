"""Chinese form and wording, simplified and traditional."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("以JSON格式返回。", [("json_format", {})]),
        (
            "以JSON返回，键名为name和age。",
            [("json_format", {"type": "object", "keys": ["name", "age"]})],
        ),
        ("标题用书名号《》括起来。", [("title", {"marks": "《》"})]),
        ("请用英文回答。", [("response_language", {"language": "en"})]),
        ("你只能用日语回答。", [("response_language", {"language": "ja"})]),
        ("把这句话翻译成英文。", []),
        ("请用繁体中文回答。", [("chinese_script", {"script": "traditional"})]),
        ("全文不要使用逗号。", [("no_commas", {})]),
        ("不要用感叹号。", [("no_punctuation", {"marks": "!！"})]),
        ("请勿使用标点。", [("no_punctuation", {})]),
        (
            "写一句正好七个字（不含标点）的话。",
            [("min_chars", {"n": 7, "count": "zi"}), ("max_chars", {"n": 7, "count": "zi"})],
        ),
        ("全部用小写字母。", [("all_lower", {})]),
        ("文中必须出现“花粉”和“屋顶”两个词。", [("include_words", {"words": ["花粉", "屋顶"]})]),
        ("請包含「希望」。", [("include_words", {"words": ["希望"]})]),
        ("不要提到“价格”、“折扣”。", [("forbid_words", {"words": ["价格", "折扣"]})]),
        ("去掉所有的“的”字。", [("forbid_words", {"words": ["的"]})]),
        ("“团结”至少出现三次。", [("word_frequency", {"word": "团结", "min": 3})]),
        ("“团结”最多出现2次。", [("word_frequency", {"word": "团结", "max": 2})]),
        ("最后以“谢谢大家”结尾。", [("ends_with", {"text": "谢谢大家"})]),
        ("请以“各位好”开头。", [("starts_with", {"text": "各位好"})]),
        ("只回答“积极”或“消极”。", [("choice", {"options": ["积极", "消极"]})]),
        ("用双引号把全文括起来。", [("quoted", {})]),
        ("最后加一句附言。", [("postscript", {"marker": "附言"})]),
        ("介绍一下杭州。", []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
