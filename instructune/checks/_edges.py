"""Texts compared at an edge of the answer: blanks, case, quotes and markup around do not count."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage

_AROUND = " \n\t\"'“”‘’«»「」『』*_`"
_QUOTES = str.maketrans("’‘“”", "''\"\"")


@dataclass(frozen=True)
class Text:
    """A text that is more than blanks, quotes and markup."""

    text: str

    def __post_init__(self) -> None:
        if not bare(self.text):
            raise usage("text is empty")


def bare(text: str) -> str:
    """A text in small letters, blanks single, without quotes and markup at its edges."""
    return " ".join(text.translate(_QUOTES).casefold().split()).strip(_AROUND)
