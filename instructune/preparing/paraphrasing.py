"""Other words for an instruction: groups of phrasings that ask for the same thing, with slots."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from instructune.errors import UserError, did_you_mean, usage
from instructune.files import open_input
from instructune.preparing.editing import Edit

BUILT_IN = Path(__file__).parents[1] / "paraphrases"
_SLOT = re.compile(r"\{(\w+)\}")
_KEYS = ("phrasings", "also", "first", "never")
# a slot ends with its clause; a stop within a number or a name does not end it
_FILLED = r"(?P<{}>(?:[^\n:：?？!！。,，;；.]|[.,](?=\S)){{1,300}}?)"
_END = r"[ \t]*(?P<end>[:：?？!！。,，;；]|\.(?=\s|\Z)|(?=\n)|\Z)"
_POLITE = re.compile(r"(?:please,? +|请问[，,]?|请你|请|麻烦你?|帮我)", re.I)
_PAUSES = frozenset(",，;；")
_CJK = re.compile(r"[\u3400-\u9fff]")


class Slots(NamedTuple):
    """A phrasing taken apart: literals around slots, one more literal than there are slots."""

    literals: tuple[str, ...]
    names: tuple[str, ...]
    asks: bool  # it is a question
    mark: str  # how one ends

    @property
    def weight(self) -> int:
        """The more is said outright, the surer the match."""
        return sum(map(len, self.literals))


@dataclass
class Group:
    """Phrasings that may stand for one another; those from `written` on are only recognised."""

    known: list[Slots]
    written: int
    first: tuple[str, ...]
    never: tuple[str, ...]

    def admits(self, filled: Mapping[str, str]) -> bool:
        """Whether `{x}` begins as the group wants."""
        text = filled.get("x", "").lower()
        if any(_begins(text, word) for word in self.never):
            return False
        return not self.first or any(_begins(text, word) for word in self.first)


class Match(NamedTuple):
    """A phrasing found in a text, with its literals' places, its end mark and what fills slots."""

    group: Group
    number: int
    literals: list[tuple[int, int]]
    end: str
    filled: dict[str, str]

    def others(self) -> list[Slots]:
        """The phrasings that can stand in its place."""
        return [
            slots
            for number, slots in enumerate(self.group.known[: self.group.written])
            if number != self.number and self._fits(slots)
        ]

    def _fits(self, slots: Slots) -> bool:
        """Before a comma something follows: a question stays one, and English says no more."""
        if self.end and self.end in _PAUSES:
            same = slots.asks == self.group.known[self.number].asks
            return same and (self.end in "，；" or not slots.literals[-1])
        return True

    def edits(self, slots: Slots, text: str) -> list[Edit]:
        """What to change for `slots` to be said: the words between slots, or all if they move."""
        literals = list(slots.literals)
        head = text[self.literals[0][0] :][:1]
        if head.islower() and not literals[0].startswith("I "):
            literals[0] = literals[0][:1].lower() + literals[0][1:]
        literals[-1] += self._ending(slots)
        if slots.names == self.group.known[self.number].names:
            pairs = zip(self.literals, literals, strict=True)
            return [Edit(a, b, new) for (a, b), new in pairs if text[a:b] != new]
        parts = [literals[0]]
        for name, literal in zip(slots.names, literals[1:], strict=True):
            parts += self.filled[name], literal
        return [Edit(self.literals[0][0], self.literals[-1][1], "".join(parts))]

    def _ending(self, slots: Slots) -> str:
        """A question mark for questions, for orders the mark that was there or a full stop."""
        if self.end in _PAUSES:
            return self.end
        if slots.asks:
            return slots.mark
        return slots.mark if self.end in ("?", "？") else self.end


class Paraphrases:
    """The groups of pattern files, the most explicit phrasing tried first."""

    def __init__(self, names: Sequence[str]) -> None:
        """`names` are files; none stands for those shipped, English and Chinese."""
        groups = [group for name in names for group in _read(name)]
        if not names:
            shipped = sorted(BUILT_IN.glob("*.toml"))
            groups = [g for path in shipped for g in _groups(path.read_bytes(), path.name)]
        self._patterns: dict[str, list[tuple[re.Pattern[str], Group, int]]] = {}
        every = [(group, number) for group in groups for number in range(len(group.known))]
        for group, number in sorted(every, key=lambda one: -one[0].known[one[1]].weight):
            slots = group.known[number]
            key = slots.literals[0][:1].lower()
            self._patterns.setdefault(key, []).append((_pattern(slots), group, number))

    def find(self, text: str) -> Match | None:
        """The phrasing that the text begins with, or its last paragraph."""
        for start in _starts(text):
            polite = _POLITE.match(text, start)
            place = polite.end() if polite else start
            keys = [(start, text[start : start + 1]), (place, text[place : place + 1]), (place, "")]
            for at, key in keys:
                for pattern, group, number in self._patterns.get(key.lower(), ()):
                    if found := _matched(pattern, group, number, text, start, at):
                        return found
        return None


def _matched(
    pattern: re.Pattern[str], group: Group, number: int, text: str, start: int, place: int
) -> Match | None:
    match = pattern.match(text, place)
    if not match:
        return None
    slots = group.known[number]
    filled = {name: match[name] for name in slots.names}
    if not all(value == value.strip() for value in filled.values()) or not group.admits(filled):
        return None
    said = text[place : match.end()].lower()
    if any(said.count(literal.lower()) > 1 for literal in slots.literals[1:-1]):
        return None  # where one slot ends and the next begins is anyone's guess
    bounds = [start, *(edge for name in slots.names for edge in match.span(name)), match.end()]
    literals = list(zip(bounds[::2], bounds[1::2], strict=True))
    return Match(group, number, literals, match["end"] or "", filled)


def _starts(text: str) -> Iterator[int]:
    """Where an instruction may begin: the text, and a last paragraph of one line."""
    head = len(text) - len(text.lstrip())
    yield head
    last = text.rstrip().rpartition("\n\n")
    if last[1] and "\n" not in last[2]:
        place = len(last[0]) + 2
        if place > head:
            yield place + len(last[2]) - len(last[2].lstrip())


def _begins(text: str, word: str) -> bool:
    after = text[len(word) : len(word) + 1]
    whole = not (word[-1:].isascii() and word[-1:].isalnum() and after.isascii())
    return text.startswith(word) and (whole or not after.isalnum())


def _pattern(slots: Slots) -> re.Pattern[str]:
    parts = [_spaced(slots.literals[0])]
    for name, literal in zip(slots.names, slots.literals[1:], strict=True):
        parts += _FILLED.format(name), _spaced(literal)
    return re.compile("".join(parts) + _END, re.I)


def _spaced(literal: str) -> str:
    return re.escape(literal).replace(r"\ ", " +")


def _read(name: str) -> list[Group]:
    with open_input(name) as source:
        return _groups(source.stream.read(), name)


def _groups(data: bytes, where: str) -> list[Group]:
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"not TOML ({error})", where=where) from None
    groups = table.get("group")
    if not isinstance(groups, list) or not groups:
        raise usage("needs [[group]] tables of phrasings", where=where)
    words = table.get("words", {})
    return [_group(one, words, where) for one in groups]


def _group(table: Any, words: Any, where: str) -> Group:
    if not isinstance(table, dict) or not isinstance(words, dict):
        raise usage("words and each group must be tables", where=where)
    if unknown := sorted(table.keys() - set(_KEYS)):
        hint = did_you_mean(unknown[0], _KEYS)
        raise usage(f"a group has no {unknown[0]!r}", where=where, hint=hint)
    given = {}
    for key in _KEYS:
        value = table.get(key, [])
        if isinstance(value, str) and key in ("first", "never"):
            value = words.get(value, value)
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise usage(f"{key} must be a list of texts", where=where)
        given[key] = value
    if len(given["phrasings"]) < 2:
        raise usage("a group needs two phrasings or more", where=where)
    known = [_slots(text, where) for text in (*given["phrasings"], *given["also"])]
    for text, slots in zip((*given["phrasings"], *given["also"]), known, strict=True):
        if set(slots.names) != set(known[0].names):
            raise usage(f"{text!r} has other slots than the rest of its group", where=where)
    first, never = (tuple(word.lower() for word in given[key]) for key in ("first", "never"))
    return Group(known, len(given["phrasings"]), first, never)


def _slots(text: str, where: str) -> Slots:
    bare = text.strip().rstrip("?？.。")
    mark = ("？" if _CJK.search(bare) else "?") if text.strip()[-1:] in "?？" else None
    parts = _SLOT.split(bare)
    names = parts[1::2]
    if len(set(names)) != len(names):
        raise usage(f"{text!r} has a slot twice", where=where)
    if not any(parts[::2]) or any(not literal for literal in parts[2:-2:2]):
        raise usage(f"{text!r} has nothing to tell its slots by", where=where)
    stop = "。" if _CJK.search(bare) else "."
    return Slots(tuple(parts[::2]), tuple(names), mark is not None, mark or stop)
