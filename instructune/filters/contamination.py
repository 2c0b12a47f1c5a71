"""Drops rows that share a run of words with a file of your own evaluation rows."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from instructune.errors import usage
from instructune.reading.sources import Reading, read_records
from instructune.reading.steps import Reason
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.texts import all_text, words


@dataclass(frozen=True)
class Options:
    """`against` names files of rows, of any known format, joined by `+`.

    A run is `n` words, or `n` characters of Chinese, Japanese and Korean, whatever their case,
    width and punctuation. A row of fewer words is compared as a whole. System turns are left out,
    and runs in more than `common` different evaluation rows: they are how a task is put, not what
    is asked (Brown et al. 2020, arXiv:2005.14165, appendix C).
    """

    against: tuple[str, ...]
    n: int = 13
    common: int = 10

    def __post_init__(self) -> None:
        if self.n < 2:
            raise usage("must be at least 2", where="--filter contamination:n")
        if self.common < 1:
            raise usage("must be at least 1", where="--filter contamination:common")


class Filter:
    """Holds the runs of all evaluation rows, each with the place of the first that has it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._runs: dict[int, str] = {}
        rows: Counter[int] = Counter()
        seen: set[str] = set()
        for record in read_records(options.against, Reading(ids="prefix"), Tally()):
            if (text := _text(record)) in seen:
                continue
            seen.add(text)
            runs = set(self._of(text))
            rows.update(runs)
            for run in runs:
                self._runs.setdefault(run, record["origin"])
        for run, count in rows.items():
            if count > options.common:
                del self._runs[run]

    def __call__(self, record: Record) -> Reason | None:
        """Which evaluation row the record touches first, or None."""
        for run in self._of(_text(record)):
            if run in self._runs:
                return Reason("shares text with evaluation rows", touches=self._runs[run])
        return None

    def _of(self, text: str) -> Iterator[int]:
        """64-bit hashes of the runs, which spare the memory of their words."""
        found = words(text)
        size = self.options.n
        if 0 < len(found) < size:
            yield hash(("whole", *found))
        yield from map(hash, zip(*(found[place:] for place in range(size)), strict=False))


def _text(record: Record) -> str:
    """What is said in the record but by the system, whatever its case and width."""
    if "messages" in record:
        turns = [turn for turn in record["messages"] if turn["role"] != "system"]
        record = Record(record | {"messages": turns})
    return unicodedata.normalize("NFKC", all_text(record)).casefold()
