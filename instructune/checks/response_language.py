"""The answer is in a given language, by its script or as py3langid tells; no letters at all fail.

IFEval's verifier passes what its identifier cannot judge, and guesses anew each time. Languages
that share a script need py3langid: without it the check ends in an error, never in a pass.
"""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import did_you_mean, usage
from instructune.preparing.languages import LANGUAGES, speaks
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """A two-letter code, such as en or zh."""

    language: str

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            hint = did_you_mean(self.language, LANGUAGES)
            raise usage(f"language {self.language!r} is not known", hint=hint)


def check(answer: str, record: Record, options: Options) -> str | None:
    """Why the answer fails, or None."""
    if speaks(answer, options.language):
        return None
    return f"is not in {LANGUAGES[options.language][1]}"
