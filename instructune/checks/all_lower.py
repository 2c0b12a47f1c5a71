"""Every letter that has two cases is a small one, and there is such a letter.

IFEval's verifier passes an answer whose language its identifier cannot tell.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._case import Language, foreign
from instructune.records import Record


@dataclass(frozen=True)
class Options(Language):
    """The language, where it counts too."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    if not any(letter.islower() for letter in answer):
        return "no small letters"
    capital = next((letter for letter in answer if letter.isupper() or letter.istitle()), None)
    if capital:
        return f"capitals, such as {capital!r}"
    return foreign(answer, options)
