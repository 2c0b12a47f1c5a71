"""Ids that are unique in an output: a row's own, or a hash of its content."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from instructune.files import shown
from instructune.records import Record, content_id

_CONTENT_ID = re.compile("[0-9a-f]{16}")


class Proposal(NamedTuple):
    """The id that a record would have: its own, or one made of its content; and its hash."""

    name: str
    own: bool
    hash: int


def propose(record: Record, source: str, mode: str) -> Proposal:
    """What a record from the file `source` would be called; `mode` as in `--id`."""
    own = record.get("id")
    if not own or mode == "hash":
        name = content_id(record)
        return Proposal(name, False, int(name, 16))
    name = f"{_stem(source)}:{own}" if mode == "prefix" else own
    return Proposal(name, True, _hash(name))


class Ids:
    """Makes ids unique in an output, remembering 64 bits of each."""

    def __init__(self) -> None:
        self._seen = HashSet()
        self._repeats: Counter[int] = Counter()

    def answer(self, keys: Iterable[tuple[int, bool]]) -> dict[int, int]:
        """Which of the next records cannot have the id that has this hash, by their place.

        0 stands for a record's own id that was given before; a number is to be added to one
        made of content.
        """
        add = self._seen.add
        return {
            place: 0 if own else self._number(hashed)
            for place, (hashed, own) in enumerate(keys)
            if not add(hashed)
        }

    def _number(self, hashed: int) -> int:
        while True:
            self._repeats[hashed] += 1
            number = self._repeats[hashed] + 1
            if self._seen.add(_hash(numbered(f"{hashed:016x}", number))):
                return number


def numbered(name: str, number: int) -> str:
    """The id of the next record of the same content."""
    return f"{name}-{number}"


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
