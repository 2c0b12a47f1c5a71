"""Drops rows with replacement characters (U+FFFD), or with too many signs for their letters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.records import Record
from instructune.texts import all_text

_OTHER = re.compile(r"[^\w\s]|_")


@dataclass(frozen=True)
class Options:
    """`max_replaced`: how many U+FFFD, traces of a wrong encoding, a row may hold.

    `max_symbols`: share of what is neither letter, digit nor blank; code has about 0.3.
    `min_letters`: share of what is a letter, blanks aside.
    """

    max_replaced: int = 0
    max_symbols: float = 0.5
    min_letters: float = 0.0


class Filter:
    """Everything a record says, together."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        text = all_text(record)
        if text.count("\ufffd") > self._options.max_replaced:
            return f"more than {self._options.max_replaced} replacement characters"
        size = sum(map(len, text.split()))
        if not size:
            return None
        if self._options.max_symbols < 1:
            share = len(_OTHER.findall(text)) / size
            if share > self._options.max_symbols:
                return f"more than {self._options.max_symbols:g} of it symbols"
        if self._options.min_letters > 0:
            share = sum(map(str.isalpha, text)) / size
            if share < self._options.min_letters:
                return f"less than {self._options.min_letters:g} of it letters"
        return None
