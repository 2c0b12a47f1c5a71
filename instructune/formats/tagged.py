"""Tokens and their tags: `tokens` with `tags`, `ner_tags` or `labels`."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from instructune.formats import _keys

TAKES = ("tokens", *_keys.TAGS)
_TAG = re.compile(r"O|([BIESLUM])-(.+)", re.DOTALL)


def recognises(keys: frozenset[str]) -> bool:
    """Tokens, tags, and no relations."""
    return _keys.is_tagged(keys)


def convert(row: dict[str, Any], notes: Counter[str]) -> list[dict[str, Any]]:
    """Tags as they are; those given as numbers by their digits, for their names are not here.

    Rows whose entities begin or go on where none can are kept, and counted in `notes`.
    """
    tokens = row["tokens"]
    if type(tokens) is not list or not tokens or not all(type(item) is str for item in tokens):
        raise ValueError("tokens must be a list of strings")
    names = [name for name in _keys.TAGS if row.get(name) is not None]
    made: dict[str, Any] = {"tokens": tokens}
    if names:
        tags = row[names[0]]
        if type(tags) is not list or not all(type(tag) in (str, int) for tag in tags):
            raise ValueError(f"{names[0]} must be a list of tags")
        if len(tags) != len(tokens):
            raise ValueError(f"has {len(tags)} {names[0]} for {len(tokens)} tokens")
        made["tags"] = [tag if type(tag) is str else str(tag) for tag in tags]
        if _breaks(made["tags"]):
            notes["tags with an entity that begins or goes on where none can"] += 1
    return [made | {name: row[name] for name in names[1:]}]


def _breaks(tags: list[str]) -> bool:
    """Whether BIO or BIOES tags break the rules; tags of other kinds have none."""
    kinds = set(tags)
    if kinds == {"O"} or not all(map(_TAG.fullmatch, kinds)):
        return False
    before, open_ = "", ""  # the type of the entity that may go on, under BIO and BIOES alike
    ends = any(tag[:2] in ("E-", "S-", "L-", "U-") for tag in kinds)
    for tag in tags:
        mark, kind = tag[0], tag[2:]
        if mark in "IEML" and kind != before:
            return True
        if ends and mark in "OBSU" and open_:
            return True
        before = kind if mark in "BIM" else ""
        open_ = before
    return bool(ends and open_)
