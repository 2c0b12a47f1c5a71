"""Near-duplicate texts: MinHash signatures, bands to find candidates, exact Jaccard to decide.

MinHash: Broder 1997, doi 10.1109/SEQUEN.1997.666900; banding: Leskovec, Rajaraman, Ullman,
Mining of Massive Datasets, chapter 3.4.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from itertools import combinations, pairwise

import numpy as np

from instructune.texts import normalised, words

_PERMUTATIONS = 128
_BATCH = 1024  # rows signed at once
_LOSS = 1e-3  # chance that a pair just at the threshold shares no band
_SLACK = 0.15  # an estimate this far below the threshold is 4 standard errors off
_ALL_PAIRS = 32  # members of a bucket up to which each is compared with each
_WORDS = 1 << 20  # words remembered


def jaccard(a: set[int], b: set[int]) -> float:
    """Shared over all members, from 0 to 1; two empty sets are equal."""
    both = len(a & b)
    return both / (len(a) + len(b) - both) if a or b else 1.0


class Neighbours:
    """Clusters of texts whose sets of word n-grams have a Jaccard similarity of `threshold`.

    Each text costs 512 bytes. Candidates are missed with a chance of at most 0.001; those found
    are compared exactly, so no pair below the threshold is joined.
    """

    def __init__(self, threshold: float = 0.8, ngram: int = 3, seed: int = 0) -> None:
        self.threshold, self.ngram, self.seed = threshold, ngram, seed
        self.rows_a_band = _rows_a_band(threshold)
        self._hashes: dict[str, int] = {}
        self._pending: list[np.ndarray] = []
        self._signatures: list[np.ndarray] = []

    def add(self, text: str) -> None:
        """Take in the next text."""
        self._pending.append(self._grams(text))
        if len(self._pending) == _BATCH:
            self._sign()

    def shingles(self, text: str) -> set[int]:
        """The set of n-grams by which texts are compared, as 64-bit hashes."""
        return set(self._grams(text).tolist())

    def clusters(self, text_of: Callable[[int], str]) -> list[int]:
        """For each text the number of the first one it is joined with, its own if none.

        `text_of` gives a text again by its number, for the exact comparison.
        """
        self._sign()
        roots = list(range(sum(map(len, self._signatures))))
        if not roots:
            return roots
        signatures = np.concatenate(self._signatures)
        shingles: dict[int, set[int]] = {}

        def of(number: int) -> set[int]:
            if number not in shingles:
                shingles[number] = self.shingles(text_of(number))
            return shingles[number]

        for a, b in self._candidates(signatures):
            if _root(roots, a) == _root(roots, b):
                continue
            if (signatures[a] == signatures[b]).mean() < self.threshold - _SLACK:
                continue
            if jaccard(of(a), of(b)) >= self.threshold:
                low, high = sorted((_root(roots, a), _root(roots, b)))
                roots[high] = low
        return [_root(roots, number) for number in range(len(roots))]

    def _grams(self, text: str) -> np.ndarray:
        """Hashes of the n-grams of words; a text of fewer words is one gram."""
        found = words(normalised(text)) or list(normalised(text))
        if len(self._hashes) > _WORDS:
            self._hashes.clear()
        known = self._hashes
        hashes = array("Q", [known.get(word) or self._remember(word) for word in found])
        if not hashes:
            return np.zeros(1, np.uint64)
        single = np.frombuffer(hashes, np.uint64)
        size = min(self.ngram, len(single))
        grams = np.zeros(len(single) - size + 1, np.uint64)
        for place in range(size):  # a polynomial in an odd constant, modulo 2^64
            grams = grams * np.uint64(0x9E3779B97F4A7C15) + single[place : place + len(grams)]
        return grams

    def _remember(self, word: str) -> int:
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        self._hashes[word] = found = int.from_bytes(digest, "little") or 1
        return found

    def _sign(self) -> None:
        if not self._pending:
            return
        from rensa import RMinHash

        offsets = np.cumsum([0, *map(len, self._pending)], dtype=np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(
            np.concatenate(self._pending), offsets, _PERMUTATIONS, self.seed
        )
        self._signatures.append(np.array(matrix.to_rows(), dtype=np.uint32))
        self._pending.clear()

    def _candidates(self, signatures: np.ndarray) -> Iterator[tuple[int, int]]:
        """Pairs that agree in a whole band, band by band."""
        width = self.rows_a_band
        for start in range(0, _PERMUTATIONS - width + 1, width):
            band = np.ascontiguousarray(signatures[:, start : start + width])
            keys = band.view(np.dtype((np.void, band.itemsize * width)))[:, 0]
            order = np.argsort(keys, kind="stable")
            edges = np.flatnonzero(keys[order][1:] != keys[order][:-1]) + 1
            bounds = [0, *edges.tolist(), len(order)]
            for begin, end in pairwise(bounds):
                if end - begin > 1:
                    yield from _pairs(order[begin:end].tolist())


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
