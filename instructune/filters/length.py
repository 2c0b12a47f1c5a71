"""Drops rows whose prompt or answer has too few or too many characters or words."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage
from instructune.records import Record
from instructune.texts import answer_of, prompt_of, words


@dataclass(frozen=True)
class Options:
    """Bounds, inclusive; words are counted as `texts.words` cuts them, zh by the character."""

    min_prompt_chars: int = 0
    max_prompt_chars: int | None = None
    min_answer_chars: int = 0
    max_answer_chars: int | None = None
    min_prompt_words: int = 0
    max_prompt_words: int | None = None
    min_answer_words: int = 0
    max_answer_words: int | None = None

    def __post_init__(self) -> None:
        # a most of 0 is a bound, a least of 0 is none
        if not any(value or (value == 0 and "max" in key) for key, value in vars(self).items()):
            raise usage("needs a bound, such as max_answer_words=400", where="--filter length")


class Filter:
    """One side and unit after the other; the first that fails is the reason."""

    def __init__(self, options: Options) -> None:
        bounds = vars(options)
        self._bounds = [
            (side, unit, bounds[f"min_{side}_{unit}"], bounds[f"max_{side}_{unit}"])
            for side in ("prompt", "answer")
            for unit in ("chars", "words")
            if bounds[f"min_{side}_{unit}"] or bounds[f"max_{side}_{unit}"] is not None
        ]

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        sides = {"prompt": prompt_of(record), "answer": answer_of(record)}
        for side, unit, least, most in self._bounds:
            text = sides[side]
            if text is None:
                continue
            count = len(text) if unit == "chars" else len(words(text))
            if count < least:
                return f"{side} shorter than {least} {unit}"
            if most is not None and count > most:
                return f"{side} longer than {most} {unit}"
        return None
