"""The answer ends with a given text, in any case; quotes and markup after it are passed over.

A stop after it is, too, where the text ends in a letter.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._edges import Text, bare
from instructune.records import Record


@dataclass(frozen=True)
class Options(Text):
    """What it ends with."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    wanted, said = bare(options.text), bare(answer)
    if wanted[-1].isalnum():  # a word may be followed by the stop of its sentence
        said = said.rstrip(" .!?。！？…\"'*_")
    if said.endswith(wanted):
        return None
    return f"does not end with {options.text!r}"
