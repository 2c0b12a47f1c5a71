"""Token rows in, padded tensors out: seeded order, steps of whole rows, micro-batches by length.

Shapes: B rows, T tokens of the longest row of a micro-batch.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.tokens import TokenRow

if TYPE_CHECKING:
    import torch

_PASS_TOKENS = 64  # a forward and backward pass costs that much beside its tokens, measured on CPUs


class Batch(NamedTuple):
    """One forward pass. Targets and weights are those of the next token, so `[:, -1]` is idle."""

    input_ids: torch.Tensor  # (B, T)
    attention_mask: torch.Tensor | None  # (B, T), 1 = token; None where no row is padded
    targets: torch.Tensor  # (B, T)
    weights: torch.Tensor  # (B, T) float32, 0 = not learned
    rows: list[int]  # indices into the data

    @property
    def units(self) -> float:
        """Sum of weights: the number of learned tokens where no row is weighted."""
        return float(self.weights.double().sum())


class TokenData:
    """All token rows in flat arrays: 8 bytes a token, and of each row its start and its id."""

    def __init__(self, rows: Iterable[TokenRow]) -> None:
        ids, weights, starts = array("i"), array("f"), array("q", [0])
        self.records: list[str] = []
        for row in rows:
            ids.extend(row.ids)
            weights.extend(row.weights)
            starts.append(len(ids))
            self.records.append(row.record)
        self.ids = np.asarray(ids, dtype=np.int32)
        self.weights = np.asarray(weights, dtype=np.float32)
        self.starts = np.asarray(starts, dtype=np.int64)
        self.lengths = np.diff(self.starts)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return int(self.starts[-1])

    @property
    def learned(self) -> int:
        """Number of tokens that count in the loss."""
        return int(np.count_nonzero(self.weights))

    def batch(self, rows: list[int], pad_id: int) -> Batch:
        """The rows as one padded batch, padded on the right to the longest."""
        import torch  # here, so that data is read and checked before torch is loaded

        lengths = self.lengths[rows]
        shape = (len(rows), int(lengths.max()))
        ids = np.full(shape, pad_id, dtype=np.int64)
        targets = np.zeros(shape, dtype=np.int64)
        weights = np.zeros(shape, dtype=np.float32)
        for i, (row, n) in enumerate(zip(rows, lengths, strict=True)):
            start = self.starts[row]
            ids[i, :n] = self.ids[start : start + n]
            # shifted here, not in the model: the token at t is scored against the one at t + 1
            targets[i, : n - 1] = self.ids[start + 1 : start + n]
            weights[i, : n - 1] = self.weights[start + 1 : start + n]
        mask = None
        if lengths.min() < shape[1]:
            mask = torch.from_numpy(np.arange(shape[1]) < lengths[:, None]).long()
        return Batch(
            torch.from_numpy(ids),
            mask,
            torch.from_numpy(targets),
            torch.from_numpy(weights),
            list(rows),
        )


def micro_batches(data: TokenData, rows: Iterable[int], most_tokens: int) -> list[list[int]]:
    """Cut `rows`, sorted by length, where that costs least: padding against one more pass.

    Rows times the longest stays within `most_tokens`; a row longer than that goes alone.
    """
    order = sorted(rows, key=lambda row: (-int(data.lengths[row]), row))
    lengths = [int(data.lengths[row]) for row in order]
    one_pass = max(_PASS_TOKENS, most_tokens // 32)
    # least cost of the rows from i on, and where the group that begins at i ends
    costs, ends = [0] * (len(order) + 1), [0] * len(order)
    for i in reversed(range(len(order))):
        most = max(1, most_tokens // lengths[i])
        options = [
            (one_pass + lengths[i] * (end - i) + costs[end], -end)
            for end in range(i + 1, min(i + most, len(order)) + 1)
            # to cut before a row that is shorter by more than a pass always costs less
            if lengths[i] - lengths[end - 1] <= one_pass
        ]
        costs[i], end = min(options)
        ends[i] = -end
    groups, start = [], 0
    while start < len(order):
        groups.append(order[start : ends[start]])
        start = ends[start]
    return groups


def epoch_order(data: TokenData, seed: int, epoch: int) -> np.ndarray:
    """The order of rows in an epoch: a function of seed and epoch alone."""
    return np.random.default_rng((seed, epoch)).permutation(len(data))


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Optimizer steps in an epoch; the last one may hold fewer rows."""
    return -(-rows // batch_size)


def step_rows(data: TokenData, batch_size: int, seed: int, start: int = 0) -> Iterator[list[int]]:
    """Rows of each optimizer step from step `start` on, epoch after epoch without end.

    The longest row is in the first step, so that too little memory shows at once.
    """
    if not len(data):
        raise UserError("no row is left to train on")
    per_epoch = steps_per_epoch(len(data), batch_size)
    epoch, skip = divmod(start, per_epoch)
    while True:
        order = epoch_order(data, seed, epoch)
        if epoch == 0:
            place = int(np.flatnonzero(order == np.argmax(data.lengths))[0])
            order[[0, place]] = order[[place, 0]]
        for i in range(skip * batch_size, len(order), batch_size):
            yield order[i : i + batch_size].tolist()
        epoch, skip = epoch + 1, 0
