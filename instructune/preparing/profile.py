"""What a set of records is made of: fields, lengths, tasks, kinds, languages, labels, and gaps."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from instructune.preparing.coverage import Counted
from instructune.preparing.languages import identify
from instructune.records import Record
from instructune.texts import all_text, answer_of, normalised, prompt_of, words

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_VALUES = 50  # of a field, told apart; the rest are summed
_SAMPLE = 1000  # characters by which the language is told


class Profile:
    """Looks at records as they pass; counts, lengths and a hash are all it keeps of them."""

    def __init__(self, count_tokens: Callable[[Record], int | None] | None = None) -> None:
        """`count_tokens` tells how long the model would find a record; None if it refuses it."""
        self._count_tokens = count_tokens
        self.rows = 0
        self.lengths: dict[str, array[int]] = {}
        self.counts: dict[str, Counter[str]] = {}
        self._coverage = Counted()
        self._contents = array("Q")

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, looked at."""
        for record in records:
            self.see(record)
            yield record

    def see(self, record: Record) -> None:
        """Take in a record."""
        self.rows += 1
        prompt, answer = prompt_of(record), answer_of(record)
        everything = all_text(record)
        self._contents.append(_hash(f"{prompt}\n{answer or ''}"))
        self._length("characters", len(everything))
        self._length("prompt words", len(words(prompt)))
        if answer is not None:
            self._length("answer words", len(words(answer)))
        if "messages" in record:
            self._length("turns", len(record["messages"]))
        if self._count_tokens:
            tokens = self._count_tokens(record)
            if tokens is None:
                self._count("refused", ["by the chat template"])
            else:
                self._length("tokens", tokens)
        language = str(record.get("language") or identify(everything[:_SAMPLE]) or "unknown")
        self._count("field", list(record))
        self._count("language", [language])
        self._count("task", [record.get("task", "unknown")])
        self._count("kind", _several(record.get("kind") or "unknown"))
        for name in ("label", "split", "augmented"):
            if name in record:
                self._count(name, _several(record[name]))
        if origin := record.get("origin"):
            self._count("source", [origin.rpartition(":")[0] or origin])
        self._coverage.add(record, language)

    def _length(self, name: str, value: int) -> None:
        self.lengths.setdefault(name, array("I")).append(value)

    def _count(self, name: str, values: Iterable[str]) -> None:
        self.counts.setdefault(name, Counter()).update(values)

    def facts(self) -> dict[str, Any]:
        """All of it as JSON."""
        coverage = self._coverage.coverage()
        return {
            "rows": self.rows,
            "duplicates": self.rows - len(set(self._contents)),
            "lengths": {name: _spread(values) for name, values in self.lengths.items()},
            "counts": {name: _commonest(counts) for name, counts in self.counts.items()},
            "coverage": coverage.rows,
            "gaps": coverage.gaps,
        }


def _several(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _hash(text: str) -> int:
    digest = hashlib.blake2b(normalised(text).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _spread(values: array[int]) -> dict[str, Any]:
    """Quantiles by the nearest rank, the sum, and a histogram in powers of two."""
    order = sorted(values)
    bins: Counter[int] = Counter(value.bit_length() for value in order)
    return {
        "sum": sum(order),
        "quantiles": {
            f"{q:g}": order[min(len(order) - 1, int(q * len(order)))] for q in _QUANTILES
        },
        "histogram": [
            {"from": (1 << bits) >> 1, "to": max((1 << bits) - 1, 0), "rows": bins[bits]}
            for bits in range(min(bins), max(bins) + 1)
        ],
    }


def _commonest(counts: Counter[str]) -> dict[str, int]:
    order = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    found = dict(order[:_VALUES])
    if rest := sum(count for _, count in order[_VALUES:]):
        found[f"{len(order) - _VALUES} others"] = rest
    return found
