"""postscript: a postscript."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, "Bye.\nP.S. Write soon", None),
        ({}, "Bye.\n\n**p. s.** write", None),
        ({"marker": "P.P.S"}, "Bye.\nP.P.S. more", None),
        ({"marker": "P.P.S"}, "Bye.\nP.S. more", "has no postscript marked P.P.S"),
        ({}, "tips. lips. P.S. here", "has no postscript marked P.S."),
        ({}, "P.S. nothing before", "has no postscript marked P.S."),
        ({}, "Bye.\nP.S.", "has no postscript marked P.S."),
        ({}, "Bye.\nPsalm 4", "has no postscript marked P.S."),
        ({"marker": "附言"}, "再见\n附言：早点写", None),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("postscript", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"marker": "..."}, "marker has no letter"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("postscript", "an answer", **args)
    assert reason in found
