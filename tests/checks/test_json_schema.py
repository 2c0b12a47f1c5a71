"""json_schema: JSON that fits a schema."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            '{"a": 1}',
            None,
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            '```json\n{"a": 2}\n```',
            None,
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            "{}",
            "the answer lacks 'a'",
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            '{"a": 0}',
            "the answer.a breaks minimum 1",
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            '{"a": true}',
            "the answer.a is no integer",
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            '{"a": 1, "b": 2}',
            "the answer.b is not allowed",
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            "[]",
            "the answer is no object",
        ),
        (
            {
                "schema": {
                    "type": "object",
                    "properties": {"a": {"type": "integer", "minimum": 1}},
                    "required": ["a"],
                    "additionalProperties": False,
                }
            },
            "a",
            "not valid JSON",
        ),
        ({"schema": {"items": {"enum": ["x", 1]}, "minItems": 1}}, '["x", 1]', None),
        (
            {"schema": {"items": {"enum": ["x", 1]}, "minItems": 1}},
            "[true]",
            "the answer[0] is none of ['x', 1]",
        ),
        (
            {"schema": {"items": {"enum": ["x", 1]}, "minItems": 1}},
            "[]",
            "the answer breaks minItems 1",
        ),
        (
            {"schema": {"anyOf": [{"type": "null"}, {"pattern": "^a+$", "type": "string"}]}},
            '"aa"',
            None,
        ),
        (
            {"schema": {"anyOf": [{"type": "null"}, {"pattern": "^a+$", "type": "string"}]}},
            '"ab"',
            "the answer fits none of anyOf",
        ),
        ({"schema": {"const": {"a": [1]}}}, '{"a": [1.0]}', None),
        (
            {"schema": {"pattern": "^(a+)+$"}},
            '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"',
            "the schema's patterns took longer than 1 s",
        ),
    ],
)
def test_verdict(verdict, args, answer, reason):
    found = verdict("json_schema", answer, **args)
    assert found == reason or (reason and found and found.startswith(f"{reason}: "))


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"schema": {"$ref": "#"}}, "schema: the keyword '$ref' is not supported"),
        (
            {"schema": {"properties": {"a": {"format": "date"}}}},
            "schema.a: the keyword 'format' is not supported",
        ),
        ({"schema": {"type": "text"}}, "schema: type cannot be 'text'"),
        ({"schema": {"pattern": "("}}, "schema: pattern cannot be '('"),
        ({"schema": []}, "schema must be an object, got []"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("json_schema", "an answer", **args)
    assert reason in found
