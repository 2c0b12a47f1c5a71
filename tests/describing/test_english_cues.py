"""English cues: one prompt a task."""

from __future__ import annotations

import pytest

from instructune.describing import describe


@pytest.mark.parametrize(
    ("prompt", "task", "kind"),
    [
        ("Is this comment toxic or not?\n\nGo away.", "classification", ["task"]),
        ("Extract the place names.\n\nHe left Rome for Pisa.", "extraction", ["task"]),
        ("What is a glacier?", "qa", ["task"]),
        ("Translate into Dutch: good night", "translation", ["task"]),
        (
            "Summarise the report in two sentences.\n\nSales rose.",
            "summarisation",
            ["task", "constraint"],
        ),
        ("Act as a shop assistant and greet me.", "dialogue", ["task"]),
        ("Write a Rust function that adds two numbers.", "code", ["task"]),
        ("Write a ballad about a mouse in a formal tone.", "writing", ["task", "constraint"]),
        ("Rephrase this: he went off.", "rewriting", ["task"]),
        ("How many legs do 3 cats and 2 hens have?", "reasoning", ["task"]),
        ("Suggest names for a parrot.", "brainstorming", ["task"]),
        ("Never mind that.", None, ["task", "constraint"]),
        ("From now on, reply in Dutch.", "dialogue", ["constraint"]),
        ("cat -> animal\nrose -> plant\ndog ->", None, ["demonstration"]),
    ],
)
def test_described(prompt, task, kind):
    found = describe(prompt)
    assert (found.task, found.kind) == (task, kind)
