"""A JSON value against the common keywords of JSON Schema; each fault names its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from instructune.errors import usage

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: type(value) in (int, float),
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
}
_SIDE_NOTES = {"$schema", "$id", "title", "description", "examples", "default", "$comment"}

# what each keyword's own value must be, and how a value of the kind it speaks of fails it
_Sized = Callable[[Any, Any], bool]
_LIMITS: dict[str, tuple[str, _Sized]] = {
    "minItems": ("array", lambda value, n: len(value) < n),
    "maxItems": ("array", lambda value, n: len(value) > n),
    "minLength": ("string", lambda value, n: len(value) < n),
    "maxLength": ("string", lambda value, n: len(value) > n),
    "minProperties": ("object", lambda value, n: len(value) < n),
    "maxProperties": ("object", lambda value, n: len(value) > n),
    "minimum": ("number", lambda value, n: value < n),
    "maximum": ("number", lambda value, n: value > n),
    "exclusiveMinimum": ("number", lambda value, n: value <= n),
    "exclusiveMaximum": ("number", lambda value, n: value >= n),
}


def _is_types(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)


def _is_pattern(value: Any) -> bool:
    try:
        re.compile(value)
    except (re.error, TypeError, RecursionError, OverflowError):
        return False
    return True


_SHAPES: dict[str, Callable[[Any], bool]] = {
    "type": _is_types,
    "enum": lambda value: isinstance(value, list),
    "const": lambda value: True,
    "pattern": _is_pattern,
    "required": lambda value: isinstance(value, list) and all(isinstance(v, str) for v in value),
    "properties": _TYPES["object"],
    "additionalProperties": lambda value: isinstance(value, bool | dict),
    "items": lambda value: isinstance(value, bool | dict),
    "anyOf": lambda value: isinstance(value, list) and bool(value),
} | {name: _TYPES["number"] for name in _LIMITS}


def refuse_unknown(schema: Any, place: str) -> None:
    """A usage error that names what in the schema is not understood here."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise usage(f"{place} must be an object")
    for key, value in schema.items():
        if key in _SIDE_NOTES:
            continue
        if key not in _SHAPES:
            raise usage(f"{place}: the keyword {key!r} is not supported")
        if not _SHAPES[key](value):
            raise usage(f"{place}: {key} cannot be {value!r}")
    for name, part in _parts(schema):
        refuse_unknown(part, f"{place}.{name}")


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from schema.get("properties", {}).items()
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield key, schema[key]
    for i, part in enumerate(schema.get("anyOf", [])):
        yield f"anyOf[{i}]", part


def fault(value: Any, schema: Any, place: str) -> str | None:
    """The first thing in `value` that does not fit, or None."""
    if isinstance(schema, bool):
        return None if schema else f"{place} is not allowed"
    if reason := _own_fault(value, schema):
        return f"{place} {reason}"
    if "anyOf" in schema and all(fault(value, part, place) for part in schema["anyOf"]):
        return f"{place} fits none of anyOf"
    for name, part, inner in _inside(value, schema):
        if reason := fault(inner, part, f"{place}{name}"):
            return reason
    return None


def _own_fault(value: Any, schema: dict[str, Any]) -> str | None:
    """What is wrong with the value itself, its contents aside."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_TYPES[kind](value) for kind in kinds):
        return f"is no {' or '.join(kinds)}"
    if "enum" in schema and not any(_same(value, choice) for choice in schema["enum"]):
        return f"is none of {schema['enum']}"
    if "const" in schema and not _same(value, schema["const"]):
        return f"is not {schema['const']!r}"
    for key, (kind, fails) in _LIMITS.items():
        if key in schema and _TYPES[kind](value) and fails(value, schema[key]):
            return f"breaks {key} {schema[key]}"
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        return f"does not match {schema['pattern']!r}"
    if isinstance(value, dict):
        missing = next((key for key in schema.get("required", ()) if key not in value), None)
        return None if missing is None else f"lacks {missing!r}"
    return None


def _inside(value: Any, schema: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """The members that have a schema: where, the schema, the member."""
    if isinstance(value, dict):
        named, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for key, member in value.items():
            yield f".{key}", named.get(key, others), member
    if isinstance(value, list) and "items" in schema:
        for i, member in enumerate(value):
            yield f"[{i}]", schema["items"], member


def _same(a: Any, b: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return bool(a == b)
