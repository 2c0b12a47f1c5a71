"""How long a record is in a model's tokens, told by its tokenizer and chat template alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from instructune.errors import UserError
from instructune.records import Record
from instructune.texts import prompt_of


def token_counter(model: str) -> Callable[[Record], int | None]:
    """How many tokens the model sees of a record; None where its template refuses it."""
    from instructune.fetching.modelfiles import resolve
    from instructune.tokenizer import Tokenizer

    tokenizer = Tokenizer(resolve(model).tokenizer)

    def count(record: Record) -> int | None:
        text: Any = prompt_of(record)
        if "messages" in record:
            try:
                text = tokenizer.template.render(record["messages"], tools=record.get("tools"))
            except UserError:
                return None
        return len(tokenizer.encode(text).ids)

    return count


def token_size(model: str) -> Callable[[Record], int]:
    """The same for a mix, where a record that the model cannot read has no size: an error."""
    counted = token_counter(model)

    def size(record: Record) -> int:
        tokens = counted(record)
        if tokens is None:
            raise UserError(
                "the chat template refuses the row, so it has no size in tokens",
                where=record.where,
                hint="--mix-by words, or leave such rows out before",
            )
        return tokens

    return size
