"""json_format: JSON and nothing else."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({}, '{"a": [1]}', None),
        ({}, '```JSON\n{"a": 1}\n```', None),
        ({}, 'Here: {"a": 1}', "not valid JSON"),
        ({}, '{"a": NaN}', "not valid JSON"),
        ({}, '{"a": 1, "a": 2}', "not valid JSON"),
        ({}, "42", "JSON, but no object or array"),
        ({"type": "object"}, "[1]", "JSON, but no object"),
        ({"keys": ["a", "b"]}, '{"a": 1}', "JSON without the key 'b'"),
        ({"keys": ["a"]}, "[]", "JSON without the key 'a'"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    found = verdict("json_format", answer, **args)
    assert found == reason or (reason and found and found.startswith(f"{reason}: "))


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"type": "number"}, "type must be one of 'object', 'array', 'any', got 'number'"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("json_format", "an answer", **args)
    assert reason in found
