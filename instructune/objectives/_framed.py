"""Texts in the tokenizer's frame: rows to train on and to answer, as tensors and as scores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from instructune.errors import UserError
from instructune.framing import Framing
from instructune.records import Record
from instructune.texts import prompt_of
from instructune.tokens import TokenRow, row_weight
from instructune.training.batches import Batch, TokenData, padded_ids

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given

Columns = Mapping[str, Sequence[int] | Sequence[float]]


def texts_of(record: Record) -> list[str]:
    """The text that is read of a record, or the two of a pair."""
    return list(record["texts"][:2]) if "texts" in record else [prompt_of(record)]


class Rows(Framing):
    """Records to rows: their texts framed, beside what `read(record)` says is to be learned."""

    def __init__(
        self, given: Given, read: Callable[[Record], Columns], overflow: str | None = None
    ) -> None:
        super().__init__(given.tokenizer, given.limit, overflow or given.overflow)
        self.read = read

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """The rows of all records in order; their one weight is the record's."""
        waiting = deque[tuple[Record, float, Columns]]()

        def texts() -> Iterator[tuple[list[str], str]]:
            for record in records:
                try:
                    waiting.append((record, row_weight(record), self.read(record)))
                except UserError as error:
                    error.where = error.where or record.where
                    raise
                yield texts_of(record), record.where

        for framed in self.framed(texts()):
            record, weight, columns = waiting.popleft()
            if framed:
                second = {"second": [framed.second]}
                given = {**second, **columns}
                yield TokenRow(framed.ids, [weight], record["id"], record.where, given)
        self.check()


def row_of(given: Given, overflow: str, record: Record) -> TokenRow:
    """What is read of a record to be answered; raises UserError where it is too long."""
    rows = Rows(given, lambda record: {}, "drop" if overflow == "error" else overflow)
    found = next(rows.sequences([record]), None)
    if found is None:
        raise UserError(f"the text is longer than {given.limit} tokens")
    return found


def inputs_of(
    data: TokenData, rows: list[int], given: Given, pad_id: int
) -> tuple[torch.Tensor, torch.Tensor | None, dict[str, torch.Tensor]]:
    """The ids of rows, their mask, and which tokens are of a second text."""
    import torch

    ids, mask = padded_ids(data, rows, pad_id)
    second = np.array([data.columns["second"].of(row)[0] for row in rows])
    inputs = {}
    if given.tokenizer.frame.second_type and (second < np.diff(data.starts)[rows]).any():
        behind = np.arange(ids.shape[1]) >= second[:, None]
        lengths = np.diff(data.starts)[rows]
        behind &= np.arange(ids.shape[1]) < lengths[:, None]
        inputs["token_type_ids"] = torch.from_numpy(behind).long()
    return ids, mask, inputs


def weights_of(data: TokenData, rows: list[int]) -> np.ndarray:
    """The one weight of each row; (B,) float32."""
    return np.array([data.columns["weights"].of(row)[0] for row in rows], dtype=np.float32)


def logits(model: Any, batch: Batch) -> torch.Tensor:
    """What the model's head gives, of tokens those that are in the batch; (B, C) or (B, T, C)."""
    found: torch.Tensor = model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, **batch.inputs
    ).logits
    # virtual tokens of an adapter have scores too, before those of the text
    return found[:, -batch.input_ids.shape[1] :] if found.ndim == 3 else found


def asked(rows: Sequence[TokenRow], given: Given, pad_id: int, model: Any) -> Batch:
    """A batch of rows to be answered, where the model is."""
    import torch

    ids, mask, inputs = inputs_of(TokenData(rows), list(range(len(rows))), given, pad_id)
    return Batch(ids, mask, torch.empty(0), torch.empty(0), [], inputs).to(model.device)


class Whole:
    """Answers to a record that is read in one row."""

    def row(self, record: Record) -> TokenRow:
        """What is read of a record; raises UserError where it cannot be."""
        raise NotImplementedError

    def rows(self, record: Record) -> list[TokenRow]:
        """The one row."""
        return [self.row(record)]

    def joined(self, record: Record, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The fields of the one row's answer."""
        return parts[0]
