"""Takes a user's list of stop words out of texts and tokens, for encoder data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from instructune.editing import Edit, replaced
from instructune.records import Record
from instructune.wordlists import Terms, lines_of


@dataclass(frozen=True)
class Options:
    """`file`: one term a line; words go where they stand alone, Chinese terms wherever they are."""

    file: str


class Transform:
    """Only `text`, `texts` and `tokens`; entities are not touched, tags go with their tokens."""

    def __init__(self, options: Options) -> None:
        self._terms = Terms(lines_of(options.file, "--transform stopwords"))

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record without the listed words; it stays if nothing else would be left."""
        if "messages" in record:
            return [record]
        held = [(e["start"], e["end"]) for e in record.get("entities", ()) if "text" in record]
        spaced = "tokens" not in record

        def find(text: str) -> list[Edit]:
            spans = sorted(self._terms.spans(text))
            return _apart(text, [s for s in spans if not _meets(s, held)], spaced)

        new = replaced(record, find)
        if new is record or not _says_something(new):
            return [record]
        changes["stop words taken out"] += 1
        return [new]


def _meets(span: tuple[int, int], held: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in held)


def _apart(text: str, spans: list[tuple[int, int]], spaced: bool) -> list[Edit]:
    """The spans as deletions that take one neighbouring blank along, in order and apart."""
    edits: list[Edit] = []
    for start, end in spans:
        if edits and start < edits[-1].end:
            continue
        if spaced and text[end : end + 1] == " ":
            end += 1
        elif spaced and end == len(text) and text[:start].endswith(" "):
            start = max(start - 1, edits[-1].end if edits else 0)
        edits.append(Edit(start, end, ""))
    return edits


def _says_something(record: Record) -> bool:
    parts = record.get("texts") or record.get("tokens") or [record.get("text", "")]
    return all(part.strip() for part in parts)
