"""choice: exactly one of the options."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"options": ["My answer is yes.", "My answer is no."]}, "Well. My answer is yes.", None),
        (
            {"options": ["My answer is yes.", "My answer is no."]},
            "My answer is yes. My answer is no.",
            "gives 2 of the options",
        ),
        ({"options": ["spam", "not spam"]}, "It is not spam.", None),
        ({"options": ["yes", "no"]}, "nothing", "gives none of the options"),
        ({"options": ["积极", "消极"]}, "情感是消极", None),
        ({"options": ["yes", "no"], "only": True}, '"Yes."', None),
        ({"options": ["yes", "no"], "only": True}, "yes, I think", "is none of the options"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("choice", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"options": []}, "options must be named, none of them empty"),
        ({"options": ["."]}, "options must be named, none of them empty"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("choice", "an answer", **args)
    assert reason in found
