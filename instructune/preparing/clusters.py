"""Clusters of duplicates as they are dropped: how many of which size, and what the largest hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from instructune.reading.steps import Reason

Drop = Callable[[dict[str, Any]], None]

_LARGEST = 20  # clusters told in full
_IDS = 10  # dropped rows told of each


class Clusters:
    """Counts dropped records by the row that stayed instead; the ids of the first few are kept."""

    def __init__(self) -> None:
        self._sizes: Counter[str] = Counter()
        self._ids: dict[str, list[str]] = {}
        self._least: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._sizes)

    def watching(self, drop: Drop | None) -> Drop:
        """`drop`, with what it is given seen first."""

        def seen(dropped: dict[str, Any]) -> None:
            self.see(dropped)
            if drop:
                drop(dropped)

        return seen

    def see(self, dropped: Mapping[str, Any]) -> None:
        """Take in a dropped record; only duplicates count."""
        facts = dropped["dropped"].facts if isinstance(dropped["dropped"], Reason) else {}
        if (stays := facts.get("duplicate_of")) is None:
            return
        self._sizes[stays] += 1
        ids = self._ids.setdefault(stays, [])
        if len(ids) < _IDS:
            ids.append(dropped["id"])
        if "jaccard" in facts:
            self._least[stays] = min(facts["jaccard"], self._least.get(stays, 1.0))

    def facts(self) -> dict[str, Any]:
        """All of it as JSON, the largest clusters first; `jaccard` is the least of a cluster."""
        order = sorted(self._sizes.items(), key=lambda pair: (-pair[1], pair[0]))
        sizes = Counter(_bin(count + 1) for count in self._sizes.values())
        return {
            "clusters": len(order),
            "rows": self._sizes.total() + len(order),
            "sizes": {_span(*bounds): sizes[bounds] for bounds in sorted(sizes)},
            "largest": [
                {
                    "kept": stays,
                    "rows": count + 1,
                    "dropped": self._ids[stays],
                    "jaccard": self._least.get(stays, 1.0),
                }
                for stays, count in order[:_LARGEST]
            ],
        }


def _bin(size: int) -> tuple[int, int]:
    """2 and 3 by themselves, then as far as the next power of two."""
    if size < 4:
        return size, size
    low = 1 << (size.bit_length() - 1)
    return low, 2 * low - 1


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"
