"""Parts in English: numbered items, words of each sentence or line, scripts that may not occur."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("Give five numbered steps.", [("numbered_items", {"min": 5, "max": 5})]),
        ("Write a numbered list of at least three tips.", [("numbered_items", {"min": 3})]),
        ("Answer as a numbered list.", [("numbered_items", {"min": 1})]),
        ("Convert this numbered list to prose.", []),
        ("Do not give me a numbered list.", []),
        ("Each sentence must have at most 10 words.", [("sentence_words", {"max": 10})]),
        ("Use sentences of no more than 12 words.", [("sentence_words", {"max": 12})]),
        ("No sentence longer than 15 words.", [("sentence_words", {"max": 15})]),
        ("Keep sentences under 20 words.", [("sentence_words", {"max": 19})]),
        ("Ten words per sentence, please.", [("sentence_words", {"min": 10, "max": 10})]),
        (
            "Summarise in three sentences with at most 50 words.",
            [("max_words", {"n": 50}), ("sentences", {"min": 3, "max": 3})],
        ),
        (
            "Write two sentences of exactly 8 words each.",
            [("sentences", {"min": 2, "max": 2}), ("sentence_words", {"min": 8, "max": 8})],
        ),
        ("Each sentence should have about 15 words.", []),
        ("Each line has five words.", [("line_words", {"min": 5, "max": 5})]),
        (
            "Write four lines of 7 words.",
            [("lines", {"min": 4, "max": 4}), ("line_words", {"min": 7, "max": 7})],
        ),
        ("Seven items, one a line.", []),
        ("Do not use emojis.", [("forbid_script", {"kinds": ["emoji"]})]),
        (
            "Answer without emojis, or any digits.",
            [("forbid_script", {"kinds": ["emoji", "digits"]})],
        ),
        (
            "No English letters and no Chinese characters.",
            [("forbid_script", {"kinds": ["latin", "chinese"]})],
        ),
        ("Use emojis and digits.", []),
        ("Use Chinese punctuation marks.", [("chinese_punctuation", {})]),
        ("Do not use Chinese punctuation.", []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
