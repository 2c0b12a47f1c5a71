"""Drops instructions too like one that is there: of your files, or of a row before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from instructune.errors import usage
from instructune.preparing.novelty import Novelty
from instructune.reading.sources import Reading, read_records
from instructune.reading.steps import Reason
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.texts import prompt_of


@dataclass(frozen=True)
class Options:
    """`against`: files of instructions, joined by `+`; `rouge`: from which ROUGE-L on two are too
    alike, 0.7 in Self-Instruct (Wang et al. 2022, arXiv 2212.10560).

    Paraphrases and rows without a mark of `generated` are kept: they are no new instructions.
    """

    against: tuple[str, ...] = ()
    rouge: float = 0.7

    def __post_init__(self) -> None:
        if not 0 < self.rouge <= 1:
            raise usage("rouge must be above 0 and at most 1", where="--filter novel")


class Filter:
    """Remembers each instruction that it let pass."""

    def __init__(self, options: Options) -> None:
        self.options = options
        reading = Reading(ids="prefix")
        known = (prompt_of(r) for r in read_records(options.against, reading, Tally()))
        self._there = Novelty(known if options.against else ())

    def key(self, record: Record) -> Any:
        """The instruction, and whether it is one that must be new."""
        kind = (record.get("generated") or {}).get("kind")
        return prompt_of(record), kind == "new-instruction"

    def answer(self, keys: Sequence[Any]) -> list[Reason | None]:
        """Why each is dropped."""
        found: list[Reason | None] = []
        for text, is_new in keys:
            alike = is_new and self._there.reaches(text, self.options.rouge)
            found.append(Reason("an instruction like one that is there") if alike else None)
            if not alike:
                self._there.add(text)
        return found
