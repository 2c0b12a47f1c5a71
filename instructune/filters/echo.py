"""Drops rows whose answer repeats the prompt: the same words, or all of it before the answer."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.records import Record
from instructune.texts import answer_of, prompt_of, words


@dataclass(frozen=True)
class Options:
    """`min_words`: a prompt shorter than this may well open its answer (`Paris` and `Paris is`).

    `max_share` below 1: no more of the answer's runs of five words than this may be the
    prompt's; leave it at 1 where answers quote or correct what they were given.
    """

    min_words: int = 5
    max_share: float = 1.0


class Filter:
    """Compares words only, whatever their case and the signs between them."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        if "messages" not in record or not (answer := answer_of(record)):
            return None
        asked, said = words(prompt_of(record).casefold()), words(answer.casefold())
        if not said or not asked:
            return None
        if asked == said:
            return "answer is the prompt"
        if len(asked) >= self._options.min_words and said[: len(asked)] == asked:
            return "answer begins with the prompt"
        if self._options.max_share < 1 and len(said) >= 20:
            runs = list(_runs(said))
            known = set(_runs(asked))
            if sum(run in known for run in runs) > self._options.max_share * len(runs):
                return "answer is mostly the prompt"
        return None


def _runs(found: list[str], n: int = 5) -> zip[tuple[str, ...]]:
    return zip(*(found[i:] for i in range(n)), strict=False)
