"""A text and what is made of it: source/target, document/summary, article/highlights."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _spans

TAKES = tuple(dict.fromkeys(name for pair in _keys.SUMMARIES for name in pair))


def recognises(keys: frozenset[str]) -> bool:
    """Both columns, and no other body."""
    return _keys.is_summary(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The source is the user's turn, the first target the assistant's, all are `references`.

    A source in sentences is put together, a nested one a line for each inner list. `source` and
    `target` stay beside as texts.
    """
    pair = _keys.first_of(row, _keys.SUMMARIES) or _keys.SUMMARIES[0]
    source, targets = _whole(row[pair[0]], pair[0]), row[pair[1]]
    targets = targets if type(targets) is list else [] if targets is None else [targets]
    if not all(type(target) is str for target in targets):
        raise ValueError(f"{pair[1]} must be a string or a list of strings")
    made: dict[str, Any] = {"messages": [{"role": "user", "content": source}]}
    if targets:
        made["messages"].append({"role": "assistant", "content": targets[0]})
        made["target"] = targets[0]
    if len(targets) > 1:
        made["references"] = targets
    others = {name: row[name] for name in TAKES if name in row and name not in pair}
    return [made | {"source": source} | others]


def _whole(value: Any, place: str) -> str:
    if type(value) is str:
        return value
    if type(value) is list and value and all(type(item) is list for item in value):
        return "\n".join(_whole(item, place) for item in value)
    if type(value) is not list or not all(type(item) is str for item in value):
        raise ValueError(f"{place} must be a string or a list of sentences")
    return _spans.joined(value)
