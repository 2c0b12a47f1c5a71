"""How new an instruction is beside those that are there: ROUGE-L, as Self-Instruct has it."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable

from instructune.texts import folded, words


class Novelty:
    """Texts that are there, and how near another comes to the nearest of them."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts: list[list[str]] = []
        self._places: dict[str, array[int]] = {}  # of a word, once for each time a text has it
        for text in texts:
            self.add(text)

    def add(self, text: str) -> None:
        """Take a text in."""
        found = words(folded(text))
        for word in found:
            self._places.setdefault(word, array("l")).append(len(self._texts))
        self._texts.append(found)

    def reaches(self, text: str, threshold: float) -> bool:
        """Whether the ROUGE-L F1 with any text is `threshold` or more (Lin 2004).

        Only texts that share enough words are compared: the longest common sequence is no longer
        than the words in common.
        """
        own = words(folded(text))
        shared: Counter[int] = Counter()
        for word, times in Counter(own).items():
            for number, there in Counter(self._places.get(word, ())).items():
                shared[number] += min(times, there)
        for number, count in shared.most_common():
            other = self._texts[number]
            total = len(own) + len(other)
            if 2 * count >= threshold * total and 2 * _common(own, other) >= threshold * total:
                return True
        return False


def _common(one: list[str], other: list[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for j, there in enumerate(other, 1):
            above = row[j]
            row[j] = before + 1 if word == there else max(above, row[j - 1])
            before = above
    return row[-1]
