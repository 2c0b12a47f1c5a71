"""Trees of replies, as in OpenAssistant: every path from the prompt to a last answer."""

from __future__ import annotations

from typing import Any

from instructune.formats import _trees

TAKES = _trees.TAKES


def recognises(keys: frozenset[str]) -> bool:
    """A message with replies, or a tree around its first one."""
    return _trees.is_tree(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A chat for each leaf; what stands behind a path's last answer is cut, equal paths are one.

    Deleted messages end a path. The paths of a tree share a `group`, so a split keeps them
    together, and each has the `rank` of its last answer. A tree without answers is a prompt.
    """
    root = _trees.root_of(row)
    found = {tuple(map(id, path)): path for path in map(_trees.answered, _trees.paths(root))}
    if not found:
        raise ValueError("the first message was deleted")
    begun = {key[:end] for key in found for end in range(1, len(key))}
    name = _trees.name_of(row, root)
    return [_trees.record(path, name) for key, path in found.items() if key not in begun]
