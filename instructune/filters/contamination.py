"""Drops rows that share a run of words with a file of your own evaluation rows."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.sources import Reading, read_records
from instructune.steps import Reason
from instructune.tally import Tally
from instructune.texts import all_text, words


@dataclass(frozen=True)
class Options:
    """`against` names files of rows, of any known format, joined by `+`.

    A run is `n` words, or `n` characters of Chinese, Japanese and Korean, whatever their case,
    width and punctuation. A row of fewer words is compared as a whole.
    """

    against: tuple[str, ...]
    n: int = 13

    def __post_init__(self) -> None:
        if self.n < 2:
            raise usage("must be at least 2", where="--filter contamination:n")


class Filter:
    """Holds the runs of all evaluation rows, each with the place of the first that has it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._runs: dict[int, str] = {}
        for record in read_records(options.against, Reading(ids="prefix"), Tally()):
            for run in self._of(record):
                self._runs.setdefault(run, record["origin"])

    def __call__(self, record: Record) -> Reason | None:
        """Which evaluation row the record touches first, or None."""
        for run in self._of(record):
            if run in self._runs:
                return Reason("shares text with evaluation rows", touches=self._runs[run])
        return None

    def _of(self, record: Record) -> Iterator[int]:
        """64-bit hashes of the runs, which spare the memory of their words."""
        found = words(unicodedata.normalize("NFKC", all_text(record)).casefold())
        size = self.options.n
        if 0 < len(found) < size:
            yield hash(("whole", *found))
        yield from map(hash, zip(*(found[place:] for place in range(size)), strict=False))
