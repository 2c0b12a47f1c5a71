"""English words and letters: to use, to avoid, and how often."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        (
            'Include the words "pollen" and "rooftop".',
            [("include_words", {"words": ["pollen", "rooftop"]})],
        ),
        (
            "Include the keywords waste, material and meal.",
            [("include_words", {"words": ["waste", "material", "meal"]})],
        ),
        ("Don't forget to include the word calm.", [("include_words", {"words": ["calm"]})]),
        (
            'The answer should contain the phrase "by and by".',
            [("include_words", {"words": ["by and by"]})],
        ),
        ('Avoid the words "big" or "small".', [("forbid_words", {"words": ["big", "small"]})]),
        (
            "Do not include the keywords: field, thanks.",
            [("forbid_words", {"words": ["field", "thanks"]})],
        ),
        (
            "The words startup and capsule cannot be in the response.",
            [("forbid_words", {"words": ["startup", "capsule"]})],
        ),
        ("Do not say 'yes' or 'no'.", [("forbid_words", {"words": ["yes", "no"]})]),
        (
            "Use the word war at least 8 times, and the word peace at least twice.",
            [
                ("word_frequency", {"min": 8, "word": "war"}),
                ("word_frequency", {"min": 2, "word": "peace"}),
            ],
        ),
        (
            'The word "fake" should appear 6 or 7 times.',
            [("word_frequency", {"min": 6, "max": 7, "word": "fake"})],
        ),
        ('Use the word "the" once or less.', [("word_frequency", {"max": 1, "word": "the"})]),
        (
            "The word batted should appear less than 2 times.",
            [("word_frequency", {"max": 1, "word": "batted"})],
        ),
        (
            "The letter q should appear at least 5 times.",
            [("letter_frequency", {"letter": "q", "min": 5})],
        ),
        ('Don\'t contain the letter "p".', [("letter_frequency", {"letter": "p", "max": 0})]),
        ("Contain 6 or more exclamation marks.", [("letter_frequency", {"letter": "!", "min": 6})]),
        ('What does the word "jock" mean?', []),
        ('Find another word for "happy".', []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks


@pytest.mark.parametrize(
    "prompt",
    [
        'The album includes "See Emily Play".',
        'The mail should say "Dear Ann, please find the report for May attached".',
        'I think I\'ll start with "The Girl".',
        "Generate a password of 12 characters.",
        "Compare the meaning of the two sentences.",
        "Give a one-sentence description for each of them.",
        "文章提到“不同的方法”。",
        "使用“strategies”表中的数据。",
        "生成一个12个字符的密码。",
        "输出应该是一个有用信息的列表。",
    ],
)
def test_texts_that_only_tell(read, prompt):
    assert read(prompt) == []
