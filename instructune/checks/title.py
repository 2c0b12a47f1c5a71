"""A title in the marks asked for: <<so>>, 《so》, or as a Markdown heading.

IFEval's verifier takes marks without a word between them for a title.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from instructune.records import Record

_TITLES = {
    "<<>>": re.compile(r"<<[^<>\n]*[^\W_][^<>\n]*>>"),
    "《》": re.compile(r"《[^《》\n]*[^\W_][^《》\n]*》"),
    "#": re.compile(r"^#{1,6}[^\S\n].*[^\W_]", re.MULTILINE),
}


@dataclass(frozen=True)
class Options:
    """What the title stands in."""

    marks: Literal["<<>>", "《》", "#"] = "<<>>"


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    return None if _TITLES[options.marks].search(answer) else f"no title in {options.marks}"
