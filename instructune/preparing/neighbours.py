"""Near-duplicate texts: MinHash signatures, bands to find candidates, exact Jaccard to decide.

MinHash: Broder 1997, doi 10.1109/SEQUEN.1997.666900; banding: Leskovec, Rajaraman, Ullman,
Mining of Massive Datasets, chapter 3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, combinations, pairwise
from typing import Any

import numpy as np

from instructune.texts import folded, words

_PERMUTATIONS = 96
_LOSS = 1e-3  # chance that a pair just at the threshold shares no band
_SLACK = 0.17  # an estimate this far below the threshold is 4 standard errors off
_ALL_PAIRS = 32  # members of a bucket up to which each is compared with each
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: multiplying by it mixes bits


def jaccard(a: set[Any], b: set[Any]) -> float:
    """Shared over all members, from 0 to 1; two empty sets are equal."""
    both = len(a & b)
    return both / (len(a) + len(b) - both) if a or b else 1.0


class Neighbours:
    """Clusters of texts whose sets of word n-grams have a Jaccard similarity of `threshold`.

    Each text costs 384 bytes. Candidates are missed with a chance of at most 0.001; those found
    are compared exactly, so no pair below the threshold is joined.
    """

    def __init__(self, threshold: float = 0.8, ngram: int = 3, seed: int = 0) -> None:
        self.threshold, self.ngram, self.seed = threshold, ngram, seed
        self.rows_a_band = _rows_a_band(threshold)
        self._signatures: list[np.ndarray] = []

    def sign(self, texts: Sequence[str]) -> np.ndarray:
        """The signatures (n, 96) of texts: of each nothing but its own words decides."""
        if not texts:
            return np.zeros((0, _PERMUTATIONS), np.uint32)
        from rensa import RMinHash

        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            *self._grams([self._words(text) for text in texts]), _PERMUTATIONS, self.seed
        )
        return np.array(matrix.to_rows(), dtype=np.uint32)

    def add(self, signatures: np.ndarray) -> None:
        """Take in the next texts, as `sign` left them."""
        self._signatures.append(signatures)

    def shingles(self, text: str) -> set[tuple[str, ...]]:
        """The set of n-grams by which texts are compared."""
        found = self._words(text)
        return set(zip(*(found[place:] for place in range(self.ngram)), strict=False))

    def clusters(self, text_of: Callable[[int], str]) -> list[int]:
        """For each text the number of the first one it is joined with, its own if none.

        `text_of` gives a text again by its number, for the exact comparison.
        """
        roots = list(range(sum(map(len, self._signatures))))
        if not roots:
            return roots
        signatures = np.concatenate(self._signatures)
        shingles: dict[int, set[tuple[str, ...]]] = {}

        def of(number: int) -> set[tuple[str, ...]]:
            if number not in shingles:
                shingles[number] = self.shingles(text_of(number))
            return shingles[number]

        compared: set[tuple[int, int]] = set()
        for pair in self._candidates(signatures):
            a, b = (_root(roots, number) for number in pair)
            if a == b or pair in compared:
                continue
            compared.add(pair)
            one, other = pair
            if (signatures[one] == signatures[other]).mean() < self.threshold - _SLACK:
                continue
            if jaccard(of(one), of(other)) >= self.threshold:
                roots[max(a, b)] = min(a, b)
        return [_root(roots, number) for number in range(len(roots))]

    def _words(self, text: str) -> list[str]:
        """The words, of a text without any its characters; at least an n-gram of them."""
        plain = folded(text)
        found = words(plain) or list("".join(plain.split()))
        found.extend([""] * (self.ngram - len(found)))
        return found

    def _grams(self, texts: Sequence[list[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Hashes of the n-grams of several texts in a row, and where those of each text begin."""
        from rensa import RMinHash

        ends = np.cumsum([len(text) for text in texts])
        hashes = chain.from_iterable(RMinHash.hash_token_sets(texts))
        flat = np.fromiter(hashes, np.uint64, ends[-1])
        over = self.ngram - 1  # so many words of each text begin no n-gram
        grams = np.zeros(len(flat) - over, np.uint64)
        for place in range(self.ngram):  # a polynomial in an odd constant, modulo 2^64
            grams = grams * _ODD + flat[place : place + len(grams)]
        within = np.ones(len(flat), bool)
        for place in range(1, self.ngram):
            within[ends - place] = False
        starts = np.concatenate([[0], ends - over * np.arange(1, len(ends) + 1)])
        return grams[within[: len(grams)]], starts.astype(np.uint64)

    def _candidates(self, signatures: np.ndarray) -> Iterator[tuple[int, int]]:
        """Pairs that agree in a whole band, band by band."""
        width = self.rows_a_band
        for start in range(0, _PERMUTATIONS - width + 1, width):
            keys = np.zeros(len(signatures), np.uint64)
            for column in range(start, start + width):  # equal hashes of bands, with rare others
                keys = keys * _ODD + signatures[:, column]
            order = np.argsort(keys, kind="stable")
            changes = np.flatnonzero(np.diff(keys[order])) + 1
            bounds = np.concatenate([[0], changes, [len(order)]])
            for place in np.flatnonzero(np.diff(bounds) > 1).tolist():
                yield from _pairs(order[bounds[place] : bounds[place + 1]].tolist())


def _pairs(members: list[int]) -> Iterator[tuple[int, int]]:
    """All pairs of a bucket; of a great one each member with the first and with the next."""
    if len(members) <= _ALL_PAIRS:
        yield from combinations(members, 2)
        return
    yield from ((members[0], other) for other in members[1:])
    yield from pairwise(members[1:])


def _root(roots: list[int], number: int) -> int:
    while roots[number] != number:
        roots[number] = roots[roots[number]]
        number = roots[number]
    return number


def _rows_a_band(threshold: float) -> int:
    """The widest band with which a pair at the threshold is missed with a chance below `_LOSS`."""
    for rows in range(32, 1, -1):
        if (1 - threshold**rows) ** (_PERMUTATIONS // rows) <= _LOSS:
            return rows
    return 1
