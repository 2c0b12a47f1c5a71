"""Adds copies with typing errors, words left out or neighbours exchanged, as users write."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass

from instructune.errors import usage
from instructune.preparing.augmenting import augmented, draws, exact_parts
from instructune.preparing.editing import Edit, replaced
from instructune.records import Record
from instructune.texts import words

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_KEYS = {
    key: row[max(i - 1, 0) : i] + row[i + 1 : i + 2] for row in _ROWS for i, key in enumerate(row)
}
# what turns the meaning round is neither dropped nor misspelt
_TURNS = frozenset(
    ["not", "no", "never", "none", "nor", "without", "except", "unless", "neither", "nothing"]
    + ["不", "没", "无", "非", "别", "勿", "未", "莫", "否"]
)


@dataclass(frozen=True)
class Options:
    """Shares of the words: misspelt, left out, exchanged with the next one."""

    typos: float = 0.05
    dropout: float = 0.0
    order: float = 0.0
    copies: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        rates = (self.typos, self.dropout, self.order)
        where = "--transform noise"
        if not all(0 <= rate <= 1 for rate in rates) or not 0 < sum(rates) <= 1:
            raise usage("typos, dropout and order are shares that add up to 1 at most", where=where)
        if self.copies < 1:
            raise usage("copies must be at least 1", where=where)


class Transform:
    """Changes what is asked, never the answer; entities, code, quotations and negations stay."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record and its copies."""

        def make(number: int) -> Record:
            dice = draws(self._options.seed, record, "noise", number)
            if "tokens" in record:
                return self._tokens(record, dice)
            held = exact_parts(record)
            return replaced(record, lambda text: self._edits(text, held(text), dice), asked=True)

        return augmented(record, "noise", self._options.copies, make, changes)

    def _edits(self, text: str, held: list[tuple[int, int]], dice: random.Random) -> list[Edit]:
        free = [
            span for span in _places(text) if all(span[1] <= a or span[0] >= b for a, b in held)
        ]
        edits: list[Edit] = []
        left = len(free)
        for i, (start, end) in enumerate(free):
            word = text[start:end]
            kind = self._kind(word, dice)
            if edits and start < edits[-1].end:
                continue
            if kind == "dropout" and left > 1:
                left -= 1
                end += text[end : end + 1] == " "
                edits.append(Edit(start, end, ""))
            elif kind == "typos":
                edits.append(Edit(start, end, _misspelt(word, dice)))
            elif kind == "order" and i + 1 < len(free):
                second, after = free[i + 1]
                between = text[end:second]
                if between in ("", " ") and text[second:after].casefold() not in _TURNS:
                    edits.append(Edit(start, after, text[second:after] + between + word))
        return [edit for edit in edits if text[edit.start : edit.end] != edit.new]

    def _kind(self, word: str, dice: random.Random) -> str | None:
        """One draw a word, whether it may be changed or not, so that words do not shift draws."""
        drawn = dice.random()
        if word.casefold() in _TURNS or "n't" in word.replace("’", "'"):
            return None
        for kind in ("typos", "dropout", "order"):
            drawn -= getattr(self._options, kind)
            if drawn < 0:
                return kind
        return None

    def _tokens(self, record: Record, dice: random.Random) -> Record:
        """Only tokens outside spans, so that no tag changes its meaning."""
        tokens = list(record["tokens"])
        tags = list(record.get("tags") or ["O"] * len(tokens))
        i, kept = 0, list(range(len(tokens)))
        while i < len(tokens):
            kind = self._kind(tokens[i], dice) if tags[i] == "O" and tokens[i].isalpha() else None
            if kind == "typos":
                tokens[i] = _misspelt(tokens[i], dice)
            elif kind == "dropout" and len(kept) > 1:
                kept.remove(i)
            elif kind == "order" and i + 1 < len(tokens) and tags[i + 1] == "O":
                tokens[i : i + 2] = tokens[i + 1], tokens[i]
                i += 1
            i += 1
        made = {"tokens": [tokens[k] for k in kept]}
        if "tags" in record:
            made["tags"] = [tags[k] for k in kept]
        return Record(record | made) if made["tokens"] != record["tokens"] else record


def _places(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for word in words(text):
        start = text.index(word, at)
        at = start + len(word)
        found.append((start, at))
    return found


def _misspelt(word: str, dice: random.Random) -> str:
    """One slip of the fingers inside the word; its first letter stays, as short words do."""
    if len(word) < 4:
        return word
    i = dice.randrange(1, len(word) - 1)
    slip = dice.randrange(4)
    if slip == 0 and word[i] != word[i + 1]:
        return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    if slip == 1:
        return word[:i] + word[i + 1 :]
    near = _KEYS.get(word[i].lower(), "")
    if slip == 2 and near:
        return word[:i] + dice.choice(near) + word[i + 1 :]
    return word[:i] + word[i] + word[i:]
