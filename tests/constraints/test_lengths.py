"""English lengths: what is asked for, and what only looks like it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("Answer in no more than 50 words.", [("max_words", {"n": 50})]),
        ("Use at least 1,200 words.", [("min_words", {"n": 1200})]),
        ("Answer with fewer than ten words.", [("max_words", {"n": 9})]),
        ("Write 400 or more words on bees.", [("min_words", {"n": 400})]),
        ("Write a 300+ word summary.", [("min_words", {"n": 300})]),
        ("Write a 200-word post.", [("min_words", {"n": 180}), ("max_words", {"n": 220})]),
        ("Use between 40 and 60 words.", [("min_words", {"n": 40}), ("max_words", {"n": 60})]),
        ("Answer in exactly 30 words.", [("min_words", {"n": 30}), ("max_words", {"n": 30})]),
        ("I don't want anything longer than 30 words.", [("max_words", {"n": 30})]),
        ("Titles of no more than five words each.", []),
        ("The two words differ.", []),
        ("Keep it under 280 characters.", [("max_chars", {"n": 279})]),
        ("A play with three characters.", []),
        ("Explain it in two sentences.", [("sentences", {"min": 2, "max": 2})]),
        ("Give a one-sentence summary.", [("sentences", {"min": 1, "max": 1})]),
        ("Combine these two sentences.", []),
        (
            "The number of sentences should be in the range of 40 to 60.",
            [("sentences", {"min": 40, "max": 60})],
        ),
        ("It must fit in a single line.", [("lines", {"min": 1, "max": 1})]),
        ("List them, one per line.", []),
        ("Seven items, one a line, no numbers.", []),
        ("Write it in two paragraphs.", [("paragraphs", {"min": 2, "max": 2})]),
        (
            "Write exactly 3 paragraphs, separated by ***.",
            [("paragraphs", {"min": 3, "max": 3, "separator": "stars"})],
        ),
        (
            "Reply as below:\na\n***\nb\n***\nc",
            [("paragraphs", {"min": 3, "max": 3, "separator": "stars"})],
        ),
        ("Summarise in three bullet points.", [("bullet_points", {"min": 3, "max": 3})]),
        ("Answer in bullet points.", [("bullet_points", {"min": 1})]),
        ("Use 4 very short bullet points.", [("bullet_points", {"min": 4, "max": 4})]),
        ("Include at least 12 placeholders such as [name].", [("placeholders", {"min": 12})]),
        ("Include a placeholder such as [name].", [("placeholders", {"min": 1})]),
        ("Give at least two citations.", [("citations", {"min": 2})]),
        (
            "It must have 4 sections marked with SECTION X.",
            [("sections", {"marker": "SECTION", "min": 4})],
        ),
        (
            "A summary with two sections (Section 1 and Section 2).",
            [("sections", {"marker": "Section", "min": 2})],
        ),
        ("Highlight at least 3 sections with markdown, i.e. *so*.", [("highlights", {"min": 3})]),
        ("Put two italic text sections in it, like *this*.", [("highlights", {"min": 2})]),
        ("Highlight the risks of three plans.", []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
