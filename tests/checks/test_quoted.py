"""quoted: the answer in quotation marks."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, '"All of it."', None),
        ({}, "“All of it.”", None),
        ({}, "「全部」", None),
        ({}, '"One" and "two', "not wrapped in quotation marks"),
        ({}, '""', "not wrapped in quotation marks"),
        ({}, '"', "not wrapped in quotation marks"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("quoted", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"n": 1}, "takes no args, got n"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("quoted", "an answer", **args)
    assert reason in found
