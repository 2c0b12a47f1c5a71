"""English style: case, commas, language, first and last words."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("Do not use any commas.", [("no_commas", {})]),
        ("Explain where commas are used.", []),
        ("Answer without any punctuation.", [("no_punctuation", {})]),
        ("Write in all lowercase letters.", [("all_lower", {})]),
        ("No capital letters are allowed.", [("all_lower", {})]),
        ("Your answer must be in all capital letters.", [("all_upper", {})]),
        ("Capitalize every word.", [("all_upper", {})]),
        (
            "Words in all capital letters should appear at least 3 times.",
            [("capital_words", {"min": 3})],
        ),
        ("Use some words in all caps.", [("capital_words", {"min": 1})]),
        (
            "Limit the number of words with all capital letters to less than four.",
            [("capital_words", {"max": 3})],
        ),
        ("Please reply in French.", [("response_language", {"language": "fr"})]),
        (
            "Write a poem using only the Kannada language.",
            [("response_language", {"language": "kn"})],
        ),
        ("Use only Hindi.", [("response_language", {"language": "hi"})]),
        ("Translate the answer into French.", []),
        ("Why do people in France speak of French?", []),
        ('Finish your letter with "Yours, Ann."', [("ends_with", {"text": "Yours, Ann."})]),
        ("End with the exact phrase Is that all?", [("ends_with", {"text": "Is that all?"})]),
        ('Start your reply with the words "Dear all".', [("starts_with", {"text": "Dear all"})]),
        (
            'The second paragraph must start with the word "it".',
            [("first_word", {"word": "it", "paragraph": 2})],
        ),
        (
            "Start paragraph 3 with the word Jasper.",
            [("first_word", {"word": "Jasper", "paragraph": 3})],
        ),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
