"""The whole answer is valid JSON, bare or in a Markdown fence.

Strict: NaN, repeated keys and anything beside the JSON fail. IFEval's verifier takes a bare number
or string, and NaN, for JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from instructune.checks._json import parsed
from instructune.records import Record

_KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "any": (dict, list),
}


@dataclass(frozen=True)
class Options:
    """What the JSON must be: an object, an array, or either; and keys an object must have."""

    type: Literal["object", "array", "any"] = "any"
    keys: tuple[str, ...] = ()


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    try:
        value = parsed(answer)
    except ValueError as error:
        return f"not valid JSON: {error}"
    if not isinstance(value, _KINDS[options.type]):
        wanted = "object or array" if options.type == "any" else options.type
        return f"JSON, but no {wanted}"
    missing = [key for key in options.keys if not isinstance(value, dict) or key not in value]
    return f"JSON without the key {', '.join(map(repr, missing))}" if missing else None
