"""What the checks of case share: the language that may be asked for beside it."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import did_you_mean, usage
from instructune.preparing.languages import LANGUAGES, speaks


@dataclass(frozen=True)
class Language:
    """A two-letter code, such as en, where the language counts too."""

    language: str | None = None

    def __post_init__(self) -> None:
        if self.language is not None and self.language not in LANGUAGES:
            hint = did_you_mean(self.language, LANGUAGES)
            raise usage(f"language {self.language!r} is not known", hint=hint)


def foreign(answer: str, options: Language) -> str | None:
    """Say that the answer is in another language, or None; capitals don't lead astray."""
    if options.language is None or speaks(answer.lower(), options.language):
        return None
    return f"is not in {LANGUAGES[options.language][1]}"
