"""Replaces personal data by its type, `<EMAIL>`, or by a stable pseudonym."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from instructune.errors import did_you_mean, usage
from instructune.preparing.editing import Edit, replaced
from instructune.preparing.pii import TYPES, find
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """`by=pseudonym` writes `<EMAIL_1f2e3d4c>`: equal data, equal sign, as long as `salt` is.

    Without a secret salt anybody could try all telephone numbers. `fields` names top-level
    columns to look into besides the record's own texts.
    """

    types: tuple[str, ...] = TYPES
    by: Literal["type", "pseudonym"] = "type"
    salt: str = ""
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in self.types:
            if kind not in TYPES:
                raise usage(
                    f"unknown type {kind!r}",
                    where="--transform redact",
                    hint=did_you_mean(kind, TYPES),
                )
        if self.by == "pseudonym" and not self.salt:
            raise usage(
                "by=pseudonym needs a salt", where="--transform redact", hint="salt=SOME-SECRET"
            )


class Transform:
    """Found in whole texts, over tokens and turns' tool calls too; entities grow as needed."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._types = frozenset(options.types)

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record without the data; each type is counted once."""
        kinds: dict[str, None] = {}

        def edits(text: str) -> list[Edit]:
            made = []
            for start, end, kind in find(text, self._types):
                kinds[kind] = None
                made.append(Edit(start, end, self._sign(kind, text[start:end])))
            return made

        new = replaced(record, edits, across=True, fields=self._options.fields)
        changes.update(f"{kind} redacted" for kind in kinds)
        return [new]

    def _sign(self, kind: str, value: str) -> str:
        if self._options.by == "type":
            return f"<{kind.upper()}>"
        plain = "".join(sign for sign in value.casefold() if sign.isalnum() or sign in "@.:/_")
        key = hashlib.blake2b(self._options.salt.encode()).digest()
        digest = hashlib.blake2b(f"{kind}\0{plain}".encode(), digest_size=4, key=key).hexdigest()
        return f"<{kind.upper()}_{digest}>"
