"""What a summary copies from its source: the fragments of Grusky et al. 2018, section 4."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.records import BODIES
from instructune.texts import asked, words


@dataclass(frozen=True)
class Options:
    """The field that holds the source; without one it is all that the row asks."""

    source: str = ""


def source_words(answer: Answer, options: Options) -> list[str]:
    """The words of the text that was to be summarised."""
    row = answer.row
    if options.source:
        text = row.get(options.source)
        if not isinstance(text, str) or not text.strip():
            raise UserError(
                f"id {row['id']!r}: {options.source} must be the text that was summarised",
                hint="name its field with :source=FIELD",
            )
    elif (text := asked(row)) is None:
        raise UserError(
            f"id {row['id']!r} has no text that was summarised ({', '.join(BODIES)})",
            hint="name its field with :source=FIELD, or the file that has it with --references",
        )
    return words(text.lower())


def fragment_lengths(source: list[str], summary: list[str]) -> list[int]:
    """Lengths of the runs of words that the summary shares with the source.

    From left to right the longest run that stands anywhere in the source is taken.
    """
    places: dict[str, list[int]] = {}
    for i, word in enumerate(source):
        places.setdefault(word, []).append(i)
    lengths, start = [], 0
    while start < len(summary):
        best = 0
        for place in places.get(summary[start], ()):
            if best and source[place + best : place + best + 1] != summary[start + best :][:1]:
                continue  # not as long as the best, or no longer
            best = max(best, _shared(source, place, summary, start))
        if best:
            lengths.append(best)
        start += max(1, best)
    return lengths


def _shared(source: list[str], place: int, summary: list[str], start: int) -> int:
    most = min(len(source) - place, len(summary) - start)
    return next((i for i in range(most) if source[place + i] != summary[start + i]), most)
