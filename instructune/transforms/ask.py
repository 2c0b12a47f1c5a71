"""Turns each row into a prompt for a model: paraphrase its instruction, or write a new one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from instructune.errors import usage
from instructune.preparing.augmenting import draws
from instructune.preparing.growing import KINDS, question
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.texts import is_chinese, prompt_of


@dataclass(frozen=True)
class Options:
    """`kind` is paraphrase or new-instruction; for the latter, `shown` instructions of the files
    `pool` (joined by `+`) stand in each prompt, the row's own among them.
    """

    kind: str = "paraphrase"
    pool: tuple[str, ...] = ()
    shown: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = f"one of {', '.join(KINDS)}"
            raise usage(f"unknown kind {self.kind!r}", where="--ask", hint=hint)
        if self.kind != "paraphrase" and not self.pool:
            raise usage("needs a file of instructions: they are shown", where=f"--ask {self.kind}")
        if self.shown < 1:
            raise usage("shown must be at least 1", where="--transform ask")


class Transform:
    """Answers come back by `prepare --accept`."""

    def __init__(self, options: Options) -> None:
        self.options = options
        reading = Reading(ids="prefix")
        found = (prompt_of(r) for r in read_records(options.pool, reading, Tally()))
        texts = list(dict.fromkeys(found)) if options.kind != "paraphrase" else []
        self._pool = {
            zh: [text for text in texts if is_chinese(text) == zh] for zh in (True, False)
        }

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The prompt."""
        options, own = self.options, prompt_of(record)
        shown = []
        if options.kind != "paraphrase":
            others = [text for text in self._pool[is_chinese(own)] if text != own]
            draw = draws(options.seed, record, "ask", 0)
            shown = [own, *draw.sample(others, min(options.shown - 1, len(others)))]
            draw.shuffle(shown)
        changes[f"asked for a {options.kind}"] += 1
        return [question(options.kind, record, shown)]
