"""Turns HTML into the text it shows; code and a mere < or > stay as they are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from instructune.extras import extra
from instructune.preparing.editing import LostSpans, edited
from instructune.preparing.markup import html_to_text
from instructune.records import Record

_LIKELY = re.compile("<[A-Za-z/!]|&[#A-Za-z]")


@dataclass(frozen=True)
class Options:
    """`entities`: whether `&amp;` and the like are read in texts without tags, too."""

    entities: bool = True


class Transform:
    """Needs the extra `clean`, once there is something to parse."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._parser: Any = None

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record as text; where markup crosses an entity's bounds it stays, and is counted."""
        try:
            new = edited(record, self._text, marked=True)
        except LostSpans:
            changes["HTML left: it would lose entities"] += 1
            return [record]
        if new is not record:
            changes["HTML made text"] += 1
        return [new]

    def _text(self, text: str) -> str:
        if not _LIKELY.search(text):
            return text
        return html_to_text(text, self._parse, entities=self._options.entities)

    def _parse(self, html: str) -> Any:
        if self._parser is None:
            module = extra("selectolax.lexbor", "clean", "--transform html")
            self._parser = module.LexborHTMLParser
        return self._parser(html)
