"""Every letter that has two cases is a capital, and there is such a letter.

IFEval's verifier tells the language from capitals, which lead its identifier astray, and passes
what that cannot tell. Here small letters are looked at.
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
    if not any(letter.isupper() for letter in answer):
        return "no capitals"
    small = next((letter for letter in answer if letter.islower()), None)
    if small:
        return f"small letters, such as {small!r}"
    return foreign(answer, options)
