"""Token rows in, padded tensors out: seeded order, steps of whole rows, micro-batches by length.

Shapes: B rows, T tokens of the longest row of a micro-batch.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.tokens import TokenRow

if TYPE_CHECKING:
    import torch

Collate = Callable[["TokenData", list[int], int, int], "Batch"]
_UNPADDED = 0.1  # of a token, what a place of padding costs where layers pass over it
_PLACES = 2  # with its padding no pass is larger than its tokens by more: heads see padding
_PASS_TOKENS = 64  # a forward and backward pass costs that much beside its tokens, measured on CPUs


class Batch(NamedTuple):
    """One forward pass: U units are learned, each with a weight.

    Of a causal model targets and weights are those of the next token, so `[:, -1]` is idle.
    """

    input_ids: torch.Tensor  # (B, T)
    attention_mask: torch.Tensor | None  # (B, T), 1 = token; None where no row is padded
    targets: torch.Tensor  # (B, T); or (B,), one a row; or as the objective has them
    weights: torch.Tensor  # float32, of the targets, 0 = not learned
    rows: list[int]  # indices into the data
    inputs: Mapping[str, torch.Tensor] = {}  # what else the forward or the objective takes

    @property
    def units(self) -> float:
        """Sum of weights: the number of learned units where no row is weighted."""
        return float(self.weights.double().sum())

    def to(self, device: torch.device) -> Batch:
        """The batch where the model is."""
        if device.type == "cpu":
            return self
        moved = {name: tensor.to(device) for name, tensor in self.inputs.items()}
        mask = None if self.attention_mask is None else self.attention_mask.to(device)
        tensors = (self.targets.to(device), self.weights.to(device))
        return Batch(self.input_ids.to(device), mask, *tensors, self.rows, moved)


class Column(NamedTuple):
    """One list of numbers a row, end to end: row i is `values[starts[i]:starts[i + 1]]`."""

    values: np.ndarray
    starts: np.ndarray

    def of(self, row: int) -> np.ndarray:
        """The numbers of a row."""
        return self.values[self.starts[row] : self.starts[row + 1]]

    def padded(self, rows: Sequence[int], fill: float) -> np.ndarray:
        """Those of several rows, filled up on the right to the longest; (B, T)."""
        lengths = np.diff(self.starts)[rows]
        kind = np.int64 if self.values.dtype.kind == "i" else np.float32
        found = np.full((len(rows), int(lengths.max(initial=0))), fill, dtype=kind)
        for i, row in enumerate(rows):
            found[i, : lengths[i]] = self.of(row)
        return found


class TokenData:
    """All token rows in flat arrays, and of each row its id."""

    def __init__(
        self, rows: Iterable[TokenRow], collate: Collate | None = None, *, whole: bool = False
    ) -> None:
        """`collate` makes a batch of rows; without it, that of a causal model.

        `whole`: the loss of a row depends on those beside it.
        """
        self.collate, self.whole = collate or causal, whole
        self.records: list[str] = []
        flat: dict[str, array[Any]] = {"ids": array("i"), "weights": array("f")}
        starts: dict[str, array[int]] = {name: array("q", [0]) for name in flat}
        for row in rows:
            given = {"ids": row.ids, "weights": row.weights, **row.columns}
            for name, values in given.items():
                if name not in flat:
                    flat[name] = array("f" if values and isinstance(values[0], float) else "i")
                    starts[name] = array("q", [0])
                flat[name].extend(values)
                starts[name].append(len(flat[name]))
            self.records.append(row.record)
        self.columns = {
            name: Column(_numbers(values), np.asarray(starts[name], dtype=np.int64))
            for name, values in flat.items()
        }
        self.lengths: np.ndarray = np.diff(self.starts)
        if "output" in self.columns:  # a second sequence, which passes through the model as well
            self.lengths = self.lengths + np.diff(self.columns["output"].starts)

    def __len__(self) -> int:
        return len(self.records)

    @property
    def ids(self) -> np.ndarray:
        """The tokens of all rows."""
        return self.columns["ids"].values

    @property
    def weights(self) -> np.ndarray:
        """How much each token, or each row, counts."""
        return self.columns["weights"].values

    @property
    def starts(self) -> np.ndarray:
        """Where each row's tokens begin, and where the last one's end."""
        return self.columns["ids"].starts

    @property
    def tokens(self) -> int:
        """Number of tokens."""
        return int(self.lengths.sum())

    @property
    def learned(self) -> int:
        """Number of units that count in the loss."""
        return int(np.count_nonzero(self.weights))

    def groups(
        self, rows: Sequence[int], most_tokens: int, together: int, unpadded: bool = False
    ) -> list[list[int]]:
        """The rows of each forward pass, by their tokens; or as they come, `together` at a time.

        `together` counts where the loss of a row depends on those beside it. A model that is
        `unpadded` takes padding for next to nothing.
        """
        if not self.whole:
            return micro_batches(self, rows, most_tokens, _UNPADDED if unpadded else 1.0)
        return [list(rows[i : i + together]) for i in range(0, len(rows), together)]

    def batch(self, rows: list[int], pad_id: int, draw: int = 0) -> Batch:
        """The rows as one batch; `draw` is what random choices come from, where there are any."""
        return self.collate(self, rows, pad_id, draw)


def _numbers(values: array[Any]) -> np.ndarray:
    return np.asarray(values, dtype=np.float32 if values.typecode == "f" else np.int32)


def causal(data: TokenData, rows: list[int], pad_id: int, draw: int = 0) -> Batch:
    """Rows padded on the right to the longest, their targets shifted.

    Shifted here, not in the model: the token at t is scored against the one at t + 1.
    """
    import torch  # here, so that data is read and checked before torch is loaded

    ids, mask = padded_ids(data, rows, pad_id)
    targets = np.zeros(ids.shape, dtype=np.int64)
    weights = np.zeros(ids.shape, dtype=np.float32)
    for i, row in enumerate(rows):
        start, end = data.starts[row] + 1, data.starts[row + 1]
        targets[i, : end - start] = data.ids[start:end]
        weights[i, : end - start] = data.weights[start:end]
    return Batch(ids, mask, torch.from_numpy(targets), torch.from_numpy(weights), list(rows))


def padded_ids(
    data: TokenData, rows: list[int], pad_id: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The tokens of rows, (B, T), and the mask of what is no padding, None where nothing is."""
    import torch

    ids = data.columns["ids"].padded(rows, pad_id)
    lengths = np.diff(data.starts)[rows]
    mask = None
    if lengths.min() < ids.shape[1]:
        mask = torch.from_numpy(np.arange(ids.shape[1]) < lengths[:, None]).long()
    return torch.from_numpy(ids), mask


def micro_batches(
    data: TokenData, rows: Iterable[int], most_tokens: int, padding: float = 1.0
) -> list[list[int]]:
    """Cut `rows`, sorted by length, where that costs least: padding against one more pass.

    `padding` is what a place of it costs, in tokens. What the rows of a pass cost stays within
    `most_tokens`; a row longer than that goes alone.
    """
    order = sorted(rows, key=lambda row: (-int(data.lengths[row]), row))
    lengths = np.asarray(data.lengths)[order].astype(np.int64)
    before = np.concatenate([[0], np.cumsum(lengths)])
    one_pass = max(_PASS_TOKENS, most_tokens // 32)
    # least cost of the rows from i on, and where the group that begins at i ends
    costs, ends = np.zeros(len(order) + 1), [0] * len(order)
    for i in reversed(range(len(order))):
        most = min(len(order) - i, max(1, _PLACES * most_tokens // int(lengths[i])))
        real = before[i + 1 : i + 1 + most] - before[i]
        here = real + padding * (lengths[i] * np.arange(1, most + 1) - real)
        # to cut before a row that is shorter by more than a pass always costs less
        near = padding * (lengths[i] - lengths[i : i + most]) <= one_pass
        count = max(1, int(np.count_nonzero(near & (here <= most_tokens))))
        totals = here[:count] + costs[i + 1 : i + 1 + count]
        ends[i] = i + count - int(np.argmin(totals[::-1]))  # of equal ones the largest group
        costs[i] = one_pass + totals[ends[i] - i - 1]
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
