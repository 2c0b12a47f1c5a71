"""Texts ranked by the words they share with another: BM25.

Robertson and Zaragoza 2009, doi 10.1561/1500000019.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable

import numpy as np

from instructune.texts import folded, words

_K1, _B = 1.2, 0.75  # how soon a repeated word says no more; how much longer texts are held back


class Index:
    """Words of many texts, and the texts that hold each."""

    def __init__(self, texts: Iterable[str]) -> None:
        lengths = array("d")
        places: dict[str, array[int]] = {}
        counts: dict[str, array[int]] = {}
        for number, text in enumerate(texts):
            found = Counter(words(folded(text)))
            lengths.append(found.total())
            for word, count in found.items():
                places.setdefault(word, array("l")).append(number)
                counts.setdefault(word, array("l")).append(count)
        self._size = len(lengths)
        self._places, self._counts = places, counts
        mean = sum(lengths) / len(lengths) if lengths else 0
        ratio = np.asarray(lengths) / (mean or 1)
        self._norms = _K1 * (1 - _B + _B * ratio)

    def scores(self, text: str) -> np.ndarray:
        """How well each text fits this one; 0 where they share no word."""
        found = np.zeros(self._size)
        for word in dict.fromkeys(words(folded(text))):
            if word not in self._places:
                continue
            rows = np.asarray(self._places[word])
            counts = np.asarray(self._counts[word])
            rarity = math.log1p((self._size - len(rows) + 0.5) / (len(rows) + 0.5))
            found[rows] += rarity * counts * (_K1 + 1) / (counts + self._norms[rows])
        return found
