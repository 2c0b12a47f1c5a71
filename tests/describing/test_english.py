"""English constraints that no check verifies, standing orders, actions and formats."""

from __future__ import annotations

import pytest

from instructune.describing import describe


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        ("Describe a glacier in a formal tone.", ["task", "constraint"]),
        ("Describe a glacier. Avoid jargon.", ["task", "constraint"]),
        ("List three glaciers.", ["task", "constraint"]),
        ("Describe a glacier in words a child would know.", ["task", "constraint"]),
        ("Describe a glacier.", ["task"]),
        ("I don't know what a glacier is.", ["task"]),
        ("From now on, reply in Dutch.", ["constraint"]),
        ("Please keep it short for the rest of this chat.", ["constraint"]),
    ],
)
def test_kinds(prompt, kind):
    assert describe(prompt).kind == kind


def test_a_demand_is_told_once_with_its_words():
    prompt = "Describe a glacier. Use at most 50 words. Avoid jargon."
    assert describe(prompt).structure["constraints"] == ["at most 50 words", "Avoid jargon."]


@pytest.mark.parametrize(
    ("prompt", "parts"),
    [
        ("Describe a glacier.", ("describe", "a glacier", None)),
        ("Please translate the letter into Dutch.", ("translate", "the letter into Dutch", None)),
        ("Put the facts in a table.", ("put", "the facts in a table", "table")),
        ("Return the facts as JSON.", ("return", "the facts as JSON", "json")),
        ("What is a glacier?", (None, None, None)),
    ],
)
def test_parts(prompt, parts):
    found = describe(prompt).structure
    assert tuple(found.get(name) for name in ("action", "object", "output_format")) == parts
