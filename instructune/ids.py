"""Ids that are unique in an output: a row's own, or a hash of its content."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter
from pathlib import Path

from instructune.files import shown
from instructune.records import Record, content_id

_CONTENT_ID = re.compile("[0-9a-f]{16}")


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
            own = f"{_stem(source)}:{own}"
        if not self._seen.add(_hash(own)):
            raise ValueError(f"id {own!r} is repeated (--id hash or --id prefix makes new ones)")
        return own

    def _unique(self, name: str) -> str:
        if self._seen.add(int(name, 16)):
            return name
        while True:
            self._repeats[name] += 1
            found = f"{name}-{self._repeats[name] + 1}"
            if self._seen.add(_hash(found)):
                return found


def _stem(source: str) -> str:
    """A file's name without its folders and what says how it is stored."""
    path = Path(shown(source))
    return Path(path.stem).stem if path.suffix in (".gz", ".zst") else path.stem


def _hash(text: str) -> int:
    """64 bits of an id; a content id is such a hash already."""
    if _CONTENT_ID.fullmatch(text):
        return int(text, 16)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


class HashSet:
    """A set of 64-bit hashes, in 12 to 24 bytes each.

    Two ids share a hash with probability n^2 / 2^65: 3e-8 at a million rows.
    """

    def __init__(self) -> None:
        self._slots, self._used = array("Q", bytes(8 * 1024)), 0
        self._mask = len(self._slots) - 1

    def add(self, value: int) -> bool:
        """Add `value`; False if it was there."""
        value, slots, mask = value or 1, self._slots, self._mask  # 0 marks a free slot
        i = value & mask
        while found := slots[i]:
            if found == value:
                return False
            i = (i + 1) & mask
        slots[i] = value
        self._used += 1
        if self._used * 3 > mask * 2:
            self._grow()
        return True

    def _grow(self) -> None:
        old = self._slots
        self._slots, self._used = array("Q", bytes(16 * len(old))), 0
        self._mask = len(self._slots) - 1
        for value in old:
            if value:
                self.add(value)
