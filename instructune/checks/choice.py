"""Exactly one of the allowed answers is given.

IFEval's verifier passes an answer that names several of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.segments import places

_EDGES = re.compile(r"^[\s\"'“”‘’*_`.。!！]+|[\s\"'“”‘’*_`.。!！]+$")


@dataclass(frozen=True)
class Options:
    """The allowed answers; `only` where nothing may stand beside the one that is chosen."""

    options: tuple[str, ...]
    only: bool = False

    def __post_init__(self) -> None:
        if not self.options or not all(_EDGES.sub("", option) for option in self.options):
            raise usage("options must be named, none of them empty")


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    allowed = sorted({_EDGES.sub("", option) for option in options.options}, key=len, reverse=True)
    if options.only:
        bare = _EDGES.sub("", answer).casefold()
        return None if bare in {text.casefold() for text in allowed} else "is none of the options"
    given, left = set(), answer
    for text in allowed:  # longest first, so that "not spam" is not also "spam"
        if found := list(places(left, text)):
            for start, end in reversed(found):
                left = f"{left[:start]}\0{left[end:]}"
            given.add(text.casefold())
    if len(given) > 1:
        return f"gives {len(given)} of the options"
    return None if given else "gives none of the options"
