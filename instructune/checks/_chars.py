"""How many characters a text has: every one, or as 字数 counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from instructune.checks._limit import Limit
from instructune.texts import words


@dataclass(frozen=True)
class Characters(Limit):
    """The bound, inclusive, and what counts.

    `all`: every character with spaces and marks, as in a message of 280. `zi`, as 字数: a Chinese
    character, a foreign word or a number is one; punctuation is none.
    """

    count: Literal["all", "zi"] = "all"


def counted(answer: str, options: Characters) -> tuple[int, str]:
    """The number of characters, and what to call them."""
    if options.count == "zi":
        return len(words(answer)), "字"
    return len(answer.strip()), "characters"
