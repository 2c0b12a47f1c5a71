"""Drops rows that hold personal data: addresses, numbers whose check digits hold, keys."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import did_you_mean, usage
from instructune.preparing import pii
from instructune.preparing.editing import Edit, replaced
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """`types` as in `redact`, which replaces them instead; `fields` are columns to look into."""

    types: tuple[str, ...] = pii.TYPES
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in self.types:
            if kind not in pii.TYPES:
                hint = did_you_mean(kind, pii.TYPES)
                raise usage(f"unknown type {kind!r}", where="--filter pii", hint=hint)


class Filter:
    """Looks wherever `redact` would."""

    def __init__(self, options: Options) -> None:
        self._types, self._fields = frozenset(options.types), options.fields

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        kinds: set[str] = set()

        def look(text: str) -> list[Edit]:
            kinds.update(found.type for found in pii.find(text, self._types))
            return []

        replaced(record, look, across=True, fields=self._fields)
        first = next((kind for kind in pii.TYPES if kind in kinds), None)
        return f"personal data ({first})" if first else None
