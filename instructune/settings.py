"""Settings from the command line and a TOML file, as the config of a step."""

from __future__ import annotations

import dataclasses
import tomllib
from typing import Any, TypeVar

from instructune.errors import did_you_mean, usage
from instructune.files import open_input
from instructune.registry import spelled

T = TypeVar("T")
_LARGEST = 2**63 - 1
_IN_WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "tuple[str, ...]": "a list of texts",
}


def settings(kind: type[T], given: dict[str, Any], file: str | None) -> T:
    """Build a config: what was typed beats the TOML file, the file beats the default."""
    values = from_table(kind, read_toml(file), file) if file else {}
    return kind(**(values | given))


def from_table(kind: type, table: dict[str, Any], name: str) -> dict[str, Any]:
    """The settings in a table of a TOML file, as a config takes them; `name` says where it is."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for key, value in table.items():
        field = fields.get(key.replace("-", "_"))
        if field is None:
            hint = did_you_mean(key.replace("-", "_"), fields)
            raise usage(f"unknown setting {key!r}", where=name, hint=hint)
        if field.name in values:
            raise usage(f"{field.name!r} is set twice", where=name)
        values[field.name] = coerced(value, str(field.type), f"{name}: {key}")
    return values


def read_toml(name: str) -> dict[str, Any]:
    """A TOML file as a dict; what is wrong with it is a usage error."""
    with open_input(name) as source:
        try:
            return tomllib.loads(source.stream.read().decode("utf-8"))
        except (ValueError, RecursionError) as error:  # integers of 5000 digits, endless nesting
            raise usage(f"not TOML ({error})", where=name) from None


def coerced(value: Any, kind: str, where: str) -> Any:
    """A TOML value as the field's type; a `[method]` table becomes `name:key=value,…`."""
    wanted = kind.removesuffix(" | None")
    if wanted.startswith("tuple"):
        items = value if isinstance(value, list) else [value]
        texts = tuple(_spec(item, where) for item in items)
        if all(isinstance(text, str) for text in texts):
            return texts
    elif wanted == "str":
        value = _spec(value, where)
        if isinstance(value, str):
            return value
    elif wanted == "bool":
        if isinstance(value, bool):
            return value
    elif isinstance(value, bool):
        pass  # which Python takes for a number
    elif wanted == "int" and isinstance(value, int):
        return value
    elif wanted == "float" and isinstance(value, int | float) and abs(value) <= _LARGEST:
        return float(value)
    raise usage(f"must be {_IN_WORDS.get(wanted, wanted)}, got {value!r}", where=where)


def _spec(value: Any, where: str) -> Any:
    """A table that names a plug-in, as on the command line; anything else as it is."""
    if not isinstance(value, dict):
        return value
    options = dict(value)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise usage("a table needs a name: the plug-in's", where=where)
    for key, item in options.items():
        if isinstance(item, dict):
            raise usage(f"{key!r} cannot be a table", where=where)
    return spelled(name, options)
