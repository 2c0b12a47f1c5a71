"""A line near the end that starts with a postscript's marker and goes on.

IFEval's verifier also takes the letters p.s. in the middle of a line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from instructune.errors import usage
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """The marker: P.S., P.P.S or any other, such as 附言."""

    marker: str = "P.S."

    def __post_init__(self) -> None:
        if not re.search(r"\w", self.marker):
            raise usage("marker has no letter")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    last = next(iter(reversed(list(_marked(options.marker).finditer(answer)))), None)
    return None if last and last.start() > 0 else f"has no postscript marked {options.marker}"


@lru_cache(maxsize=100)
def _marked(marker: str) -> re.Pattern[str]:
    letters = [re.escape(letter) for letter in re.sub(r"[\s.]", "", marker)]
    spelt = r"\.?\s?".join(letters)
    return re.compile(rf"^[\s*_(\"“>#-]*{spelt}(?![^\W_])[\W_]*\w", re.MULTILINE | re.IGNORECASE)
