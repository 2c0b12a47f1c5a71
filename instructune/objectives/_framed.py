"""Texts in the tokenizer's frame: rows to train on and to answer, as tensors and as scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from instructune.errors import UserError, at
from instructune.framing import Framed, Framing
from instructune.records import Record
from instructune.texts import prompt_of
from instructune.tokens import TokenRow
from instructune.training.batches import Batch, TokenData, padded_ids
from instructune.training.goals import Target

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given

Columns = Mapping[str, Sequence[int] | Sequence[float]]


def texts_of(record: Record) -> list[str]:
    """The text that is read of a record, or the two of a pair."""
    return list(record["texts"][:2]) if "texts" in record else [prompt_of(record)]


class Piece(NamedTuple):
    """One row to come: its texts, and what is learned of them once they are tokens.

    `learned` gives the weights and columns of the row, None where nothing is left to learn.
    """

    texts: list[str]
    learned: Callable[[Framed], tuple[list[float], Columns] | None]


class Rows(Framing):
    """Records to rows, as `read(record)` takes them to pieces."""

    def __init__(self, given: Given, read: Callable[[Record], list[Piece]]) -> None:
        super().__init__(given.tokenizer, given.limit, given.overflow)
        self.read = read

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """The rows of all records in order."""
        for framed, (record, piece) in self.framed(self._pieces(records)):
            if framed is None:
                continue
            with at(record.where):
                learned = piece.learned(framed)
            if learned is None:
                self.counts["nothing left to learn, dropped"] += 1
                self.dropped.append(record.where)
                continue
            weights, columns = learned
            given = {"second": [framed.second], **columns}
            yield TokenRow(framed.ids, weights, record["id"], record.where, given)
        self.check()

    def _pieces(
        self, records: Iterable[Record]
    ) -> Iterator[tuple[list[str], str, tuple[Record, Piece]]]:
        for record in records:
            with at(record.where):
                pieces = self.read(record)
            self.counts["one record, several rows, added"] += len(pieces) - 1
            for piece in pieces:
                yield piece.texts, record.where, (record, piece)


def framed_one(given: Given, overflow: str, texts: Sequence[str], where: str) -> Framed:
    """Texts to be answered, cut where such were cut in training; UserError where too long."""
    choice = "drop" if overflow == "error" else overflow
    framing = Framing(given.tokenizer, given.limit, choice)
    framed, _ = next(framing.framed([(texts, where, None)]))
    if framed is None:
        raise UserError(f"the text is longer than {given.limit} tokens")
    return framed


def row_of(given: Given, overflow: str, texts: Sequence[str], record: Record) -> TokenRow:
    """What is read of a record to be answered; raises UserError where it is too long."""
    framed = framed_one(given, overflow, texts, record.where)
    return TokenRow(framed.ids, [1.0], record["id"], record.where, {"second": [framed.second]})


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


def reread(row: TokenRow, given: Given) -> Callable[[Any, torch.Tensor], torch.Tensor]:
    """From a model and ids (B, T) in the place of the row's own to the head's logits, float32."""
    inputs: dict[str, torch.Tensor] = {}
    if "second" in row.columns:
        _, _, inputs = inputs_of(TokenData([row]), [0], given, 0)

    def found(model: Any, ids: torch.Tensor) -> torch.Tensor:
        told = {key: one.to(ids.device).expand(len(ids), -1) for key, one in inputs.items()}
        return logits(model, Batch(ids, None, ids, ids, [], told)).float()

    return found


def log_probability(
    row: TokenRow, given: Given, labels: Sequence[str], label: str, of: str = ""
) -> Target:
    """That of one of a head's labels, `of` what in words."""
    scores, number = reread(row, given), labels.index(label)

    def score(model: Any, ids: torch.Tensor) -> torch.Tensor:
        return scores(model, ids).log_softmax(-1)[:, number]

    return Target(row, f"log-probability of {label!r}{of}", score)


class Whole(ABC):
    """Answers to a record that is read in one row."""

    @abstractmethod
    def row(self, record: Record) -> TokenRow:
        """What is read of a record; raises UserError where it cannot be."""

    def rows(self, record: Record) -> list[TokenRow]:
        """The one row."""
        return [self.row(record)]

    def joined(self, record: Record, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The fields of the one row's answer."""
        return parts[0]
