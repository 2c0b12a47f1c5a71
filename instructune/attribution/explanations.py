"""The field `explanation` of predictions: whether it is one, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Explanation = Mapping[str, Any]

_TOP = 10  # tokens named with their values
_BAR = 20  # columns of the longest bar


def is_explanation(value: Any) -> bool:
    """Whether it is one that `generate --explain` could have written."""
    if not (_is(value, dict) and _is(value.get("method"), str) and _is(value.get("target"), str)):
        return False
    tokens, values = value.get("tokens", []), value.get("values", [])
    answer, rows = value.get("answer", []), value.get("map", [])
    near = value.get("neighbours", [])
    return (
        all(_is(found, list) for found in (tokens, values, answer, rows, near))
        and all(_is(text, str) for text in (*tokens, *answer))
        and _are_numbers(values, len(tokens))
        and len(rows) == len(answer)
        and all(_is(row, list) and _are_numbers(row, len(tokens)) for row in rows)
        and all(_is(row, dict) and _are_numbers([row.get("similarity")], 1) for row in near)
        and _is(value.get("check", {}), dict)
    )


def _is(value: Any, kind: type) -> bool:
    return type(value) is kind


def _are_numbers(values: Sequence[Any], count: int) -> bool:
    return len(values) == count and all(type(value) in (int, float) for value in values)


def lines(explanation: Explanation) -> list[str]:
    """For a terminal: what is explained, and the tokens that matter most, or the nearest rows."""
    found = [f"{explanation['method']}: {explanation['target']}"]
    if told := facts(explanation):
        found.append(told)
    top = strongest(explanation)
    most = max((abs(value) for _, value in top), default=0) or 1
    for text, value in top:
        found.append(f"{value:>+10.4g}  {'█' * round(_BAR * abs(value) / most):<{_BAR}}  {text!r}")
    for row in explanation.get("neighbours", ()):
        said = " -> ".join(str(row[name]) for name in ("prompt", "answer") if row.get(name))
        found.append(f"{row['similarity']:>10.4g}  {row.get('id')}  {' '.join(said.split())}")
    return found


def facts(explanation: Explanation) -> str:
    """What was checked, or why there is nothing."""
    if "error" in explanation:
        return f"not explained: {explanation['error']}"
    return ", ".join(f"{name} {value}" for name, value in explanation.get("check", {}).items())


def strongest(explanation: Explanation) -> list[tuple[str, float]]:
    """The tokens with the greatest values, as many as are shown."""
    pairs = zip(explanation.get("tokens", ()), explanation.get("values", ()), strict=True)
    return sorted(pairs, key=lambda pair: -abs(pair[1]))[:_TOP]
