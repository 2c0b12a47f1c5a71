"""Ids that are unique in an output: a row's own, or a hash of its content."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from pathlib import Path

from instructune.files import shown
from instructune.records import Record, content_id


class Ids:
    """Gives each record an id unique in the output, remembering 64 bits of each."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._seen = HashSet()
        self._repeats: Counter[str] = Counter()

    def give(self, record: Record, source: str) -> str:
        """The id of a record from the file `source`; ValueError if its own was given before."""
        own = record.get("id")
        if not own or self.mode == "hash":
            return self._unique(content_id(record))
        if self.mode == "prefix":
            own = f"{shown(Path(source).name).partition('.')[0]}:{own}"
        if not self._seen.add(own):
            raise ValueError(f"id {own!r} is repeated (--id hash or --id prefix makes new ones)")
        return own

    def _unique(self, name: str) -> str:
        found = name
        while not self._seen.add(found):
            self._repeats[name] += 1
            found = f"{name}-{self._repeats[name] + 1}"
        return found


class HashSet:
    """A set of strings by 64-bit hash, in 12 to 24 bytes a string.

    Two strings share a hash with probability n^2 / 2^65: 3e-8 at a million rows.
    """

    def __init__(self) -> None:
        self._slots, self._used = array("Q", bytes(8 * 1024)), 0

    def add(self, text: str) -> bool:
        """Add `text`; False if it was there."""
        digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
        if not _insert(self._slots, int.from_bytes(digest, "little") or 1):
            return False
        self._used += 1
        if self._used * 3 > len(self._slots) * 2:
            self._grow()
        return True

    def _grow(self) -> None:
        larger = array("Q", bytes(16 * len(self._slots)))
        for value in self._slots:
            if value:
                _insert(larger, value)
        self._slots = larger


def _insert(slots: array[int], value: int) -> bool:
    mask = len(slots) - 1
    i = value & mask
    while slots[i]:
        if slots[i] == value:
            return False
        i = (i + 1) & mask
    slots[i] = value
    return True
