"""What a set of records is made of: lengths, tasks, kinds, languages, labels, and the gaps."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from instructune.coverage import Counted
from instructune.languages import identify
from instructune.records import Record
from instructune.texts import all_text, answer_of, prompt_of, words

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_VALUES = 50  # of a field, told apart; the rest are summed
_SAMPLE = 1000  # characters by which the language is told


class Profile:
    """Looks at records as they pass; counts and lengths of 4 bytes each are all it keeps."""

    def __init__(self, count_tokens: Callable[[Record], int | None] | None = None) -> None:
        """`count_tokens` tells how long the model would find a record; None if it refuses it."""
        self._count_tokens = count_tokens
        self.rows = 0
        self.lengths: dict[str, array[int]] = {}
        self.counts: dict[str, Counter[str]] = {}
        self._coverage = Counted()

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, looked at."""
        for record in records:
            self.see(record)
            yield record

    def see(self, record: Record) -> None:
        """Take in a record."""
        self.rows += 1
        prompt, answer = prompt_of(record), answer_of(record)
        self._length("prompt words", len(words(prompt)))
        if answer is not None:
            self._length("answer words", len(words(answer)))
        if self._count_tokens:
            tokens = self._count_tokens(record)
            if tokens is None:
                self._count("refused", ["by the chat template"])
            else:
                self._length("tokens", tokens)
        language = record.get("language") or identify(all_text(record)[:_SAMPLE]) or "unknown"
        kinds = record.get("kind") or ["unknown"]
        kinds = [kinds] if isinstance(kinds, str) else kinds
        self._count("language", [str(language)])
        self._count("task", [record.get("task", "unknown")])
        self._count("kind", kinds)
        for name in ("label", "split"):
            if isinstance(value := record.get(name), str):
                self._count(name, [value])
        self._coverage.add(record, str(language))

    def _length(self, name: str, value: int) -> None:
        self.lengths.setdefault(name, array("I")).append(value)

    def _count(self, name: str, values: Iterable[str]) -> None:
        self.counts.setdefault(name, Counter()).update(values)

    def facts(self) -> dict[str, Any]:
        """All of it as JSON."""
        coverage = self._coverage.coverage()
        return {
            "rows": self.rows,
            "lengths": {name: _spread(values) for name, values in self.lengths.items()},
            "counts": {name: _commonest(counts) for name, counts in self.counts.items()},
            "coverage": coverage.rows,
            "gaps": coverage.gaps,
        }


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
