"""Adds copies whose instruction is said in other words, by shipped or your own phrasings."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from instructune.errors import usage
from instructune.preparing.augmenting import Span, augmented, draws, exact_parts
from instructune.preparing.editing import Edit, replaced
from instructune.preparing.paraphrasing import Match, Paraphrases
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """`file`: a TOML file of `[[group]]` tables, each with `phrasings` that ask for the same, such
    as "Summarise {x}" and "Give a summary of {x}"; without it those shipped, English and Chinese.
    """

    file: str | None = None
    copies: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise usage("copies must be at least 1", where="--transform paraphrase")


class Transform:
    """Changes what is asked, never the answer, nor what entities, checks or quotations hold.

    A copy leaves `structure` out, which quotes the words of before.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._paraphrases = Paraphrases([options.file] if options.file else [])

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record and its copies."""
        if "augmented" in record or not ("messages" in record or "text" in record):
            return [record]
        blocked = []

        def make(number: int) -> Record:
            def find(text: str) -> list[Edit]:
                match = self._paraphrases.find(text)
                if match is None:
                    return []
                edits = self._edits(match, text, record, number)
                if edits is None:
                    blocked.append(text)
                return edits or []

            new = replaced(record, find, asked=True)
            if new is not record and "structure" in new:
                new = Record({key: value for key, value in new.items() if key != "structure"})
            return new

        made = augmented(record, "paraphrase", self._options.copies, make, changes)
        if blocked and len(made) == 1:
            changes["not paraphrased: an entity or a wanted word is in the way"] += 1
        return made

    def _edits(self, match: Match, text: str, record: Record, number: int) -> list[Edit] | None:
        """The edits for one of the other phrasings, a different one for each copy; None if what
        must stay as it is stands where they would be.
        """
        others = match.others()
        if not others:
            return []
        draws(self._options.seed, record, "paraphrase", 0).shuffle(others)
        edits = match.edits(others[(number - 1) % len(others)], text)
        held = exact_parts(record)(text)
        if any(_meet(span, one) for span in match.literals for one in held):
            return None
        moved = [edit for edit in edits if edit.end - edit.start > 0]
        entities = record.get("entities", ()) if text == record.get("text") else ()
        if any(_meet((e["start"], e["end"]), edit[:2]) for e in entities for edit in moved):
            return None
        return edits


def _meet(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]
