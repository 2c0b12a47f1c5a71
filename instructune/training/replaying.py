"""Rows of earlier tasks among the new ones, so that what they taught is not forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np

from instructune.errors import usage
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import Record

Item = TypeVar("Item")


class Replay(NamedTuple):
    """A file of old rows, and which share of all rows they are to be."""

    file: str
    share: float


def replays(given: Sequence[str]) -> list[Replay]:
    """`--replay FILE:share` taken apart; raises a usage error where the shares leave no room."""
    found = []
    for text in given:
        file, _, share = text.rpartition(":")
        try:
            found.append(Replay(file, float(share)))
        except ValueError:
            found.append(Replay("", 0))
        if not (found[-1].file and 0 < found[-1].share < 1):
            hint = "such as old.jsonl:0.1, for a tenth of all rows"
            raise usage(f"expected FILE:share, got {text!r}", where="--replay", hint=hint)
    if sum(replay.share for replay in found) >= 1:
        raise usage("the shares leave no room for new rows", where="--replay")
    return found


def with_old(
    new: Iterable[Record],
    wanted: Sequence[Replay],
    reading: Reading,
    seed: int,
    told: Callable[[Replay, dict[str, Any]], None],
) -> Iterator[Record]:
    """The new records, then of each file as many drawn ones as its share asks for.

    `told` hears how many those are; where a file has too few, all of it is given, once.
    """
    count = 0
    for record in new:
        count += 1
        yield record
    room = 1 - sum(replay.share for replay in wanted)
    for number, replay in enumerate(wanted):
        quota = round(count * replay.share / room)
        tally = Tally()
        old = read_records([replay.file], reading, tally)
        drawn = reservoir(old, quota, (seed, number))
        yield from drawn
        told(replay, {"rows": len(drawn), "wanted": quota, "of": tally.out})


def reservoir(items: Iterable[Item], size: int, seed: int | Sequence[int]) -> list[Item]:
    """`size` of the items, each set of that size as likely, in their order; one pass.

    Algorithm R (Vitter 1985, ACM TOMS 11(1), attributed there to Waterman).
    """
    rng, kept = np.random.default_rng(seed), list[tuple[int, Item]]()
    for number, item in enumerate(items):
        if number < size:
            kept.append((number, item))
        elif (place := int(rng.integers(number + 1))) < size:
            kept[place] = (number, item)
    return [item for _, item in sorted(kept, key=lambda pair: pair[0])]
