"""Trees of replies: their live paths from the first prompt to a last answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

TAKES = ("prompt", "replies", "text", "role", "message_id", "message_tree_id", "rank", "parent_id")
_ROLES = {"prompter": "user", "user": "user", "assistant": "assistant"}
Path = list[Mapping[str, Any]]


def is_tree(keys: frozenset[str]) -> bool:
    """A message with replies, or a tree around its first one."""
    return {"message_id", "replies"} <= keys or {"message_tree_id", "prompt"} <= keys


def root_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The first message of the tree."""
    root = row["prompt"] if "message_tree_id" in row and "prompt" in row else row
    _check(root)
    return root


def paths(message: Mapping[str, Any]) -> Iterator[Path]:
    """Every way from a message to a leaf, through messages that were not deleted."""
    if message.get("deleted"):
        return
    ends = True
    for reply in message.get("replies") or ():
        _check(reply)
        for path in paths(reply):
            ends = False
            yield [message, *path]
    if ends:
        yield [message]


def answered(path: Path) -> Path:
    """The path up to its last answer; all of it where there is none."""
    for end in range(len(path), 0, -1):
        if _ROLES[path[end - 1]["role"]] == "assistant":
            return path[:end]
    return path


def best(message: Mapping[str, Any]) -> Path:
    """The path that takes the best-ranked live reply each time, else the first."""
    path: Path = []
    live = [message] if not message.get("deleted") else []
    while live:
        path.append(min(live, key=_rank))
        live = [reply for reply in path[-1].get("replies") or () if _is_live(reply)]
    return path


def _is_live(reply: Any) -> bool:
    _check(reply)
    return not reply.get("deleted")


def _rank(message: Mapping[str, Any]) -> float:
    rank = message.get("rank")
    return rank if type(rank) is int else math.inf


def record(path: Path, tree: str) -> dict[str, Any]:
    """A path as a chat; its id is the last message's, its group the tree."""
    messages = [{"role": _ROLES[m["role"]], "content": m["text"]} for m in path]
    made: dict[str, Any] = {"messages": messages}
    if type(path[-1].get("message_id")) is str:
        made = {"id": path[-1]["message_id"]} | made
    if tree:
        made["group"] = tree
    if type(path[-1].get("rank")) is int:
        made["rank"] = path[-1]["rank"]
    return made


def name_of(row: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """What the tree is called."""
    name = row.get("message_tree_id") or root.get("message_id") or ""
    return name if type(name) is str else ""


def _check(message: Any) -> None:
    if type(message) is not dict or type(message.get("text")) is not str:
        raise ValueError("a message of the tree has no text")
    if message.get("role") not in _ROLES:
        raise ValueError(f"a message of the tree has the role {message.get('role')!r}")
