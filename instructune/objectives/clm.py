"""Continued pre-training: every token of plain texts, packed into blocks of one length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from instructune import tokens
from instructune.objectives import _causal
from instructune.records import Record
from instructune.tokens import TokenRow
from instructune.training.batches import Batch, TokenData, causal

HEAD = "causal"
_LONGEST = 2048  # tokens of a block where the model has no limit


@dataclass(frozen=True)
class Options:
    """`pack`: texts follow each other in blocks of `--max-length`; without, one row a text."""

    pack: bool = True


class Objective(_causal.NextToken):
    """Texts, or chats as the template renders them."""

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """A causal batch; `segments` (B, T) number the texts of each packed row from 0."""
        import torch

        batch = causal(data, rows, pad_id, draw)
        if "segments" not in data.columns:
            return batch
        segments = torch.from_numpy(data.columns["segments"].padded(rows, 0))
        return batch._replace(inputs={"segments": segments})

    def encoding(self, *, learns: bool) -> tokens.Encoding | _Blocks:
        """Rows of tokens that are all learned but the first."""
        given = self.given
        if not self.options.pack:
            return tokens.Encoding(given.tokenizer, "all", given.limit, given.overflow)
        return _Blocks(tokens.Encoding(given.tokenizer, "all"), given.limit)


class _Blocks:
    """Texts end to end, cut into blocks that overlap by a token, so that each is predicted.

    In a block a text sees those before it, as in pre-training; the first token of a text is not
    learned, for nothing of it stands before.
    """

    def __init__(self, encoding: tokens.Encoding, size: int | None) -> None:
        self.encoding, self.size = encoding, size or _LONGEST
        self.dropped: list[str] = []
        self.counts: Counter[str] = Counter()

    @property
    def stops(self) -> set[int]:
        """Ids that end answers."""
        return self.encoding.stops

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """Blocks in order, each named after the text that its first learned token is of."""
        ids: list[int] = []
        weights: list[float] = []
        names: list[tuple[str, str]] = []  # of each token
        for row in self.encoding.sequences(records):
            self.counts["texts"] += 1
            ids += row.ids
            weights += row.weights
            names += [(row.record, row.where)] * len(row.ids)
            while len(ids) > self.size:
                yield from self._block(ids, weights, names)
                cut = self.size - 1
                ids, weights, names = ids[cut:], weights[cut:], names[cut:]
        yield from self._block(ids, weights, names)

    def _block(
        self, ids: list[int], weights: list[float], names: list[tuple[str, str]]
    ) -> Iterator[TokenRow]:
        learned = [0.0, *weights[1 : self.size]]
        if any(learned):
            first = next(i for i, weight in enumerate(learned) if weight)
            self.counts["blocks"] += 1
            texts = {name: number for number, name in enumerate(dict.fromkeys(names[: self.size]))}
            segments = [texts[name] for name in names[: self.size]]
            yield TokenRow(ids[: self.size], learned, *names[first], {"segments": segments})
