"""The answer repeats a given request word for word, then goes on.

Case, blanks and quotes are passed over. IFEval's verifier also takes an answer that ends there.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.checks._edges import Text, bare
from instructune.records import Record


@dataclass(frozen=True)
class Options(Text):
    """What to repeat."""


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    said, wanted = bare(answer), bare(options.text)
    if not said.startswith(wanted):
        return "does not start with the request"
    return None if said[len(wanted) :].strip(" \"'.*_") else "only repeats the request"
