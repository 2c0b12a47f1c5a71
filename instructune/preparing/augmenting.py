"""Marked copies of records: their ids, groups and random draws, and what must not be touched."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from instructune.records import Record

Span = tuple[int, int]

# what means the same to no reader, or to no program, once a letter is off
_EXACT = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|「[^」\n]{1,80}」|\{[^{}\n]{0,80}\}"
    r"|<[^<>\n]{0,80}>|https?://\S+|\S+@\S+|\$[^$\n]+\$|\w*\d\w*",
    re.S,
)


def augmented(
    record: Record,
    name: str,
    copies: int,
    make: Callable[[int], Record],
    changes: Counter[str],
) -> list[Record]:
    """The record and the copies that `make` changed, each marked; copies beget no copies.

    A copy has `augmented`, an id of its own and the group of the record, which gets one, too: so
    no split parts them. A copy equal to the record or to another copy is left out.
    """
    if "augmented" in record:
        return [record]
    made: list[Record] = []
    group = record.get("group") or record["id"]
    for number in range(1, copies + 1):
        copy = make(number)
        if copy is record or copy == record:
            continue
        mark = {"id": f"{record['id']}~{name}{number}", "group": group, "augmented": name}
        copy = Record(copy | mark)
        if all(_content(copy) != _content(other) for other in made):
            made.append(copy)
    if not made:
        return [record]
    changes[f"copied with {name}"] += 1
    return [Record(record | {"group": group}), *made]


def _content(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key != "id"}


def draws(seed: int, record: Record, name: str, number: int) -> random.Random:
    """Random numbers that depend on seed, id, kind and copy alone, not on the rows before."""
    told = f"{seed}\0{record['id']}\0{name}\0{number}".encode()
    digest = hashlib.blake2b(told, digest_size=8).digest()
    return random.Random(int.from_bytes(digest, "big"))


def exact_parts(record: Record) -> Callable[[str], list[Span]]:
    """What of a text must stay letter for letter for the record to stay right.

    Entities, code, quotations, placeholders, addresses and numbers; words that its checks ask
    for, and answers that are taken from the text.
    """
    words = {one for check in record.get("checks", ()) for one in _strings(check.get("args", {}))}
    words |= {one for one in record.references() if isinstance(one, str)}
    pattern = "|".join(_whole(word) for word in sorted(words, key=lambda w: (-len(w), w)) if word)
    needed = re.compile(pattern) if pattern else None

    def spans(text: str) -> list[Span]:
        found = [part.span() for part in _EXACT.finditer(text)]
        if needed:
            found += [part.span() for part in needed.finditer(text)]
        if text == record.get("text"):
            found += [(e["start"], e["end"]) for e in record.get("entities", ())]
        return found

    return spans


def apart(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """The spans in order, without those that meet one before them or one that is taken."""
    kept: list[Span] = []
    held = list(taken)
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if kept and start < kept[-1][1]:
            continue
        if all(end <= a or start >= b for a, b in held):
            kept.append((start, end))
    return kept


def in_case_of(model: str, word: str) -> str:
    """`word` written as `model` is: ALL CAPITALS, One Capital first, or as it stands."""
    if model.isupper() and (len(model) > 1 or len(word) == 1):
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def _whole(word: str) -> str:
    """A pattern for a word by itself; a Chinese one may stand within others."""
    before = r"(?<![^\W_])" if word[0].isascii() and word[0].isalnum() else ""
    after = r"(?![^\W_])" if word[-1].isascii() and word[-1].isalnum() else ""
    return before + re.escape(word) + after


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)
