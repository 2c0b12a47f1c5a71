"""Which side of a split each record goes to; what belongs together stays together."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from instructune.errors import UserError, usage
from instructune.reading.spool import Spool
from instructune.records import Record
from instructune.texts import normalised, prompt_of

_NEAR = 0.8  # Jaccard similarity of prompts from which two rows count as one


def shares(text: str) -> dict[str, float]:
    """`train=0.9,test=0.1` taken apart; the shares must add up to 1."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, sign, value = part.strip().partition("=")
        if not (sign and name.replace("-", "").replace("_", "").isalnum()):
            raise usage(f"expected name=share, got {part!r}", where="--split")
        if name in found:
            raise usage(f"{name!r} is given twice", where="--split")
        try:
            found[name] = float(value)
        except ValueError:
            raise usage(f"{value!r} is not a share", where="--split") from None
        if not 0 < found[name] <= 1:
            raise usage(f"{value!r} is not a share from 0 to 1", where="--split")
    if not math.isclose(sum(found.values()), 1, abs_tol=1e-9):
        total = f"{sum(found.values()):g}"
        raise usage(f"the shares add up to {total}, not 1", where="--split")
    return found


class Splitter:
    """Deals units to sides: rows of one `group`, or whose prompts are near-duplicates, are one.

    A unit's side follows from its own hash, so appended rows change nothing for the others
    (unless one of them joins two units). With `exact`, units are dealt in the order of their
    hashes to the side that lacks most, label by label (task by task where there is no label):
    the sizes are then right to a unit, for each label and in all. Augmented rows go with the row
    they were made of and count nothing: whoever asked drops those that are not on the first side.
    """

    def __init__(self, sides: Mapping[str, float], *, seed: int = 0, exact: bool = False) -> None:
        from instructune.preparing.neighbours import (
            Neighbours,  # numpy, which most commands do without
        )

        self.sides, self.seed, self.exact = sides, seed, exact
        self._near = Neighbours(_NEAR)
        self._groups: list[str | None] = []
        self._strata: list[str] = []
        self._counts: list[bool] = []

    def glean(self, records: Sequence[Record]) -> Any:
        """The signatures of prompts; each record's group, label or task, and if it is no copy."""
        labels = [(record.get("label"), record.get("task", "")) for record in records]
        return (
            self._near.sign([prompt_of(record) for record in records]),
            [record.get("group") for record in records],
            [label if isinstance(label, str) else task for label, task in labels],
            ["augmented" not in record for record in records],
        )

    def see(self, gleaned: Any) -> None:
        """Take in the next records."""
        signatures, groups, strata, counts = gleaned
        self._near.add(signatures)
        self._groups += groups
        self._strata += strata
        self._counts += counts

    def deal(self, rows: Spool, kept: Sequence[int]) -> dict[int, str]:
        """The side of each kept row, by its number."""
        units = self._units(rows, kept)
        keys = {unit: self._key(unit, rows) for unit in units}
        chosen = self._dealt(units, keys) if self.exact else self._hashed(keys)
        return {row: chosen[unit] for unit, members in units.items() for row in members}

    def _units(self, rows: Spool, kept: Sequence[int]) -> dict[int, list[int]]:
        """The kept rows of each unit, by the number of its first row."""
        roots = self._near.clusters(lambda number: prompt_of(rows[number]))
        joined = list(range(len(roots)))

        def root(number: int) -> int:
            while joined[number] != number:
                number = joined[number]
            return number

        firsts: dict[str, int] = {}
        for number, group in enumerate(self._groups):
            others = [roots[number]] + ([firsts.setdefault(group, number)] if group else [])
            low, *rest = sorted({root(other) for other in (number, *others)})
            for high in rest:
                joined[high] = low
        units: dict[int, list[int]] = defaultdict(list)
        for row in kept:
            units[root(row)].append(row)
        return units

    def _key(self, unit: int, rows: Spool) -> float:
        """A number from 0 to 1 that follows from the seed and the unit's first row alone."""
        group = self._groups[unit]
        text = f"group {group}" if group else f"text {normalised(prompt_of(rows[unit]))}"
        digest = hashlib.blake2b(f"{self.seed} {text}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64

    def _hashed(self, keys: Mapping[int, float]) -> dict[int, str]:
        bounds = list(zip(accumulate(self.sides.values()), self.sides, strict=True))
        last = bounds[-1][1]
        return {
            unit: next((name for bound, name in bounds if key < bound), last)
            for unit, key in keys.items()
        }

    def _dealt(
        self, units: Mapping[int, Sequence[int]], keys: Mapping[int, float]
    ) -> dict[int, str]:
        lacking = dict.fromkeys(self.sides, 0.0)  # what one stratum leaves the next makes good
        strata: dict[str, list[int]] = defaultdict(list)
        sizes: dict[int, int] = {}
        for unit, members in units.items():
            strata[self._strata[unit]].append(unit)
            sizes[unit] = sum(self._counts[row] for row in members)
        chosen: dict[int, str] = {}
        for _, members in sorted(strata.items()):
            rows = sum(sizes[unit] for unit in members)
            for side, share in self.sides.items():
                lacking[side] += share * rows
            for unit in sorted(members, key=lambda unit: (-sizes[unit], keys[unit], unit)):
                side = max(self.sides, key=lambda side: lacking[side])
                chosen[unit] = side
                lacking[side] -= sizes[unit]
        return chosen


def own_sides(rows: Spool, kept: Sequence[int]) -> dict[int, str]:
    """The side that each kept row names itself in `split`, by its number."""
    found = {number: rows[number].get("split") for number in kept}
    for number, side in found.items():
        if not side or "/" in side or side.startswith("."):
            raise UserError(
                f"split is {side!r}, which names no file" if side else "has no split",
                where=rows[number]["origin"],
                hint="--split train=0.9,test=0.1 deals the rows anew",
            )
    return found  # type: ignore[return-value]
