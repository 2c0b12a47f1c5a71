"""Neighbours: the training rows most like the question and the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, pairwise
from typing import Any, Literal

import numpy as np

from instructune.attribution.explaining import Case, Source, rounded
from instructune.bm25 import Index
from instructune.errors import UserError, usage
from instructune.files import STDIO
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.texts import answer_of, prompt_of
from instructune.tokens import Encoding, prompt_ids

_SHOWN = 200  # characters of a row's question and answer


@dataclass(frozen=True)
class Options:
    """The `k` rows nearest among those of the files `data`, joined by `+`.

    `by=hidden` is the cosine of the model's last hidden states, averaged over all tokens of
    question and answer, or of what is read where no text is written; `by=bm25` needs no model
    and counts shared words, so that a row which shares none is no neighbour.
    """

    data: tuple[str, ...]
    k: int = 3
    by: Literal["hidden", "bm25"] = "hidden"

    def __post_init__(self) -> None:
        if self.k < 1:
            raise usage("must be at least 1", where="--explain neighbours:k")
        if STDIO in self.data:
            raise usage("must be files, not -", where="--explain neighbours:data")


class Explainer:
    """Holds the rows, and what they are compared by once the first prediction is explained."""

    def __init__(self, options: Options, source: Source) -> None:
        self.options, self.source = options, source
        tally = Tally()
        ids = "own" if len(options.data) == 1 else "prefix"
        self.rows = list(read_records(options.data, Reading(ids=ids), tally))
        self.inputs = tally.inputs

    def __call__(self, case: Case) -> dict[str, Any]:
        """The nearest rows, the nearest first and of equally near ones the first."""
        if self.options.by == "bm25":
            near = self._index.scores(f"{prompt_of(case.record)}\n{case.text}")
            near = np.where(near > 0, near, -np.inf)
        else:
            near = self._hidden([*case.prompt, *case.answer])
        ranked = np.argsort(-near, kind="stable")[: self.options.k]
        order = [i for i in ranked.tolist() if near[i] > -np.inf]
        values = rounded(near[order].tolist())
        found = [self._told(self.rows[i], value) for i, value in zip(order, values, strict=True)]
        told = "cosine of hidden states with question and answer"
        if self.options.by == "bm25":
            told = "shared words (BM25) with question and answer"
        elif case.chosen:
            told = "cosine of hidden states with what was read"
        return {"target": told, "neighbours": found, "check": {"rows": len(self.rows)}}

    @staticmethod
    def _told(row: Record, similarity: float) -> dict[str, Any]:
        texts = {"prompt": prompt_of(row), "answer": answer_of(row)}
        shown = {name: text[:_SHOWN] for name, text in texts.items() if text}
        return {"id": row["id"], "origin": row.where, "similarity": similarity} | shown

    @cached_property
    def _index(self) -> Index:
        return Index(f"{prompt_of(row)}\n{answer_of(row) or ''}" for row in self.rows)

    def _hidden(self, ids: list[int]) -> np.ndarray:
        """How like each row is to these ids, by its likest piece; (rows,)."""
        vectors, ends = self._vectors
        near = (vectors @ self._pooled([ids])[0]).tolist()
        return np.array([max(near[low:high], default=-np.inf) for low, high in pairwise(ends)])

    @cached_property
    def _vectors(self) -> tuple[np.ndarray, list[int]]:
        """Of each piece of a row that is read by itself, and where the pieces of a row end."""
        rows = [self._pieces(row) for row in self.rows]
        pieces = [ids for row in rows for ids in row]
        if not pieces:
            raise UserError("no row can be read", where="--explain neighbours:data")
        tick = partial(self._tick, len(pieces))
        return self._pooled(pieces, tick), [0, *accumulate(map(len, rows))]

    def _tick(self, of: int, done: int) -> None:
        """Tell how much the model has read, which may take minutes."""
        told = {"what": "rows of data read", "done": done, "of": of}
        self.source.notify({"event": "part"} | told)

    def _pieces(self, row: Record) -> list[list[int]]:
        """What is read of a row, which is nothing where it cannot be."""
        if self.source.answers is None:
            return [self._ids(row)]
        try:
            return [piece.ids for piece in self.source.answers.rows(row)]
        except UserError:
            return []

    def _ids(self, row: Record) -> list[int]:
        """The row as a prompt and an answer, or what an encoder reads of it; cut to the limit."""
        if self.source.model.config.is_encoder_decoder:
            return self.source.prompt_ids(row, self.source.tokenizer)[: self.source.limit]
        encoding = Encoding(self.source.tokenizer, train_on="last")
        try:
            ids = next(encoding.sequences([row])).ids
        except UserError:  # it has no answer
            ids = prompt_ids(row, self.source.tokenizer)
        return ids[: self.source.limit] or [0]

    def _pooled(
        self, sequences: list[list[int]], tick: Callable[[int], None] = lambda done: None
    ) -> np.ndarray:
        from instructune.answering.pooling import pooled

        return pooled(self.source.model, sequences, tick).numpy(force=True)
