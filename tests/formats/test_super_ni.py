"""super_ni: both versions of the task files."""

from __future__ import annotations

import pytest

from instructune.formats import super_ni

MADE = {
    "messages": [
        {"role": "user", "content": "Do.\n\nx"},
        {"role": "assistant", "content": "a"},
    ],
    "definition": "Do.",
    "input": "x",
}


def test_both_versions():
    old = {"Definition": "Do.", "Instances": [{"input": "x", "output": ["a"]}]}
    assert super_ni.convert(old) == [MADE]
    instance = {"id": "task1-f", "input": "x", "output": ["a", "b", "a"]}
    new = {"Definition": ["Do."], "Instances": [instance, {"input": "x", "output": "a"}]}
    assert super_ni.convert(new) == [
        {"id": "task1-f", "references": ["a", "b"]} | MADE,
        MADE,
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"Definition": 5, "Instances": []}, "Definition must be a string or a list"),
        ({"Definition": "d", "Instances": []}, "Instances must be a list of objects"),
        ({"Definition": "d", "Instances": [{}]}, r"Instances\[0\] must have an input"),
        (
            {"Definition": "d", "Instances": [{"input": "x", "output": []}]},
            r"Instances\[0\]\.output must be a string or a list",
        ),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        super_ni.convert(row)


def test_recognises():
    assert super_ni.recognises(frozenset({"Definition", "Instances", "Source"}))
    assert not super_ni.recognises(frozenset({"Definition"}))
