"""Drops rows whose answer refuses: cannot help, will not say, is only a language model (en, zh)."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.records import Record
from instructune.refusals import WITHIN, disclaims, refuses
from instructune.texts import answer_of


@dataclass(frozen=True)
class Options:
    """`within`: only the first signs of the answer count, for refusals come first.

    `disclaimers=false` keeps answers that only say what a language model cannot do or feel.
    """

    within: int = WITHIN
    disclaimers: bool = True


class Filter:
    """Rules of our own; a sorry that only regrets is none."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        if "messages" not in record or not (answer := answer_of(record)):
            return None
        if refuses(answer, self._options.within):
            return "answer refuses"
        if self._options.disclaimers and disclaims(answer, self._options.within):
            return "answer says what an AI cannot do"
        return None
