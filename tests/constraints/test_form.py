"""English form: JSON, titles, postscripts, quotes, choices, repeated requests."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("prompt", "checks"),
    [
        ("Answer in JSON.", [("json_format", {})]),
        (
            'Return a JSON object with the keys "a" and "b".',
            [("json_format", {"type": "object", "keys": ["a", "b"]})],
        ),
        (
            "Return JSON with the keys sender, order and address.",
            [("json_format", {"type": "object", "keys": ["sender", "order", "address"]})],
        ),
        ("What does this JSON file hold?", []),
        ("Put a title in double angular brackets, i.e. <<title>>.", [("title", {})]),
        ("Add a postscript.", [("postscript", {"marker": "P.S."})]),
        ("Add a note starting with P.P.S at the end.", [("postscript", {"marker": "P.P.S"})]),
        ("Give two different responses, separated by ******.", [("responses", {"n": 2})]),
        ("Give 3 answers, separated by 6 asterisk symbols.", [("responses", {"n": 3})]),
        (
            "Name a bird.\nFirst repeat the request above, then answer.",
            [("repeat_prompt", {"text": "Name a bird."})],
        ),
        (
            "Repeat the request below first.\nDo not speak before you repeat it.\n\nName a bird.",
            [("repeat_prompt", {"text": "Name a bird."})],
        ),
        ("Wrap your answer in double quotation marks.", [("quoted", {})]),
        (
            'Answer with one of the following: "up", "down".',
            [("choice", {"options": ["up", "down"]})],
        ),
        (
            "Choose from:\nThe red one\nThe blue one\nChoose just one.",
            [("choice", {"options": ["The red one", "The blue one"]})],
        ),
        ("Reply yes or no.", [("choice", {"options": ["yes", "no"]})]),
        ('Did he say "yes" or "no"?', []),
    ],
)
def test_found(read, prompt, checks):
    assert read(prompt) == checks
