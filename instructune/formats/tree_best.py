"""Trees of replies: the one path that takes the best-ranked reply each time; only by `--format`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _trees

TAKES = _trees.TAKES


def recognises(keys: frozenset[str]) -> bool:
    """Never: the other paths are left out, which is for the user to choose."""
    return False


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Rank 0 is best; without ranks the first reply is taken. It ends with its last answer."""
    root = _trees.root_of(row)
    path = _trees.best(root)
    if not path:
        raise ValueError("the first message was deleted")
    return [_trees.record(_trees.answered(path), _trees.name_of(row, root))]
