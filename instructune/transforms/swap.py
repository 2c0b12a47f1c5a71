"""Adds a copy with pairs of words exchanged both ways (he/she, names), against bias."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from instructune.preparing.augmenting import apart, augmented, in_case_of
from instructune.preparing.editing import Edit, applied, replaced
from instructune.preparing.wordlists import Terms, pairs_of
from instructune.records import Record

# what follows an object: "told her that", "gave her a", "saw her."
_AFTER_OBJECT = re.compile(
    r"\s*(?:[^\w\s]|\Z)|\s+(?:an?|the|this|that|these|those|to|in|on|at|for|with|from|by|of|about"
    r"|and|or|but|if|when|while|because|as|than|after|before|who|what|how|why|where|again|too"
    r"|yesterday|today|tomorrow|now|then|there|here|back|away|up|down|out|off|over|very|some|any"
    r"|his|her|my|your|our|their|it|is|was|will|would|did|does|has|had)\b",
    re.I,
)


@dataclass(frozen=True)
class Options:
    """`file`: two terms a line, tab-separated. A term with several partners gets the first, but
    `her` becomes `his` before a noun and `him` elsewhere where both are listed.
    """

    file: str


class Transform:
    """Every text of the record, answers and the words of its checks too: all tell one story."""

    def __init__(self, options: Options) -> None:
        self._partners: dict[str, list[str]] = {}
        for one, others in pairs_of(options.file, "--transform swap"):
            for other in others:
                self._partners.setdefault(one.casefold(), []).append(other)
                self._partners.setdefault(other.casefold(), []).append(one)
        self._terms = Terms(list(self._partners))

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record, and its copy if it holds any of the words."""

        def make(number: int) -> Record:
            new = replaced(record, self._edits)
            if new is not record and record.get("checks"):
                new = Record(new | {"checks": [self._check(check) for check in record["checks"]]})
            return new

        return augmented(record, "swap", 1, make, changes)

    def _check(self, check: dict[str, Any]) -> dict[str, Any]:
        return check | {"args": self._within(check["args"])} if "args" in check else check

    def _within(self, value: Any) -> Any:
        if isinstance(value, str):
            return applied(value, self._edits(value))
        if isinstance(value, list):
            return [self._within(one) for one in value]
        if isinstance(value, dict):
            return {key: self._within(one) for key, one in value.items()}
        return value

    def _edits(self, text: str) -> list[Edit]:
        return [
            Edit(start, end, in_case_of(text[start:end], self._partner(text, start, end)))
            for start, end in apart(self._terms.spans(text), ())
        ]

    def _partner(self, text: str, start: int, end: int) -> str:
        word = text[start:end].casefold()
        partners = self._partners[word]
        if word == "her" and {"him", "his"} <= set(partners):
            return "him" if _AFTER_OBJECT.match(text, end) else "his"
        return partners[0]
