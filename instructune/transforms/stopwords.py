"""Takes a user's list of stop words out of texts and tokens, for encoder data."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from instructune.preparing.editing import Edit, replaced
from instructune.preparing.wordlists import Terms, lines_of
from instructune.records import Record


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
        new = self._tokens(record) if "tokens" in record else self._text(record)
        if new is record or not _says_something(new):
            return [record]
        changes["stop words taken out"] += 1
        return [new]

    def _text(self, record: Record) -> Record:
        held = [(e["start"], e["end"]) for e in record.get("entities", ()) if "text" in record]
        return replaced(
            record,
            lambda text: _apart(
                text, [span for span in sorted(self._terms.spans(text)) if not _meets(span, held)]
            ),
        )

    def _tokens(self, record: Record) -> Record:
        """A token that is a listed word as a whole goes, unless its tag makes it part of a span."""
        tokens = record["tokens"]
        tags = record.get("tags") or ["O"] * len(tokens)
        kept = [
            i
            for i, token in enumerate(tokens)
            if tags[i] != "O" or (0, len(token)) not in self._terms.spans(token)
        ]
        if len(kept) == len(tokens):
            return record
        made = {"tokens": [tokens[i] for i in kept]}
        if "tags" in record:
            made["tags"] = [tags[i] for i in kept]
        return Record(record | made)


def _meets(span: tuple[int, int], held: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in held)


def _apart(text: str, spans: list[tuple[int, int]]) -> list[Edit]:
    """The spans as deletions that take one neighbouring blank along, in order and apart."""
    edits: list[Edit] = []
    for start, end in spans:
        if edits and start < edits[-1].end:
            continue
        if text[end : end + 1] == " ":
            end += 1
        elif end == len(text) and text[:start].endswith(" "):
            start = max(start - 1, edits[-1].end if edits else 0)
        edits.append(Edit(start, end, ""))
    return edits


def _says_something(record: Record) -> bool:
    parts = record.get("texts", record.get("tokens", [record.get("text", "")]))
    return bool(parts) and all(part.strip() for part in parts)
