"""Keys and values of tokens that were read: memory for rows of them, and rows moved about in it.

Shapes: B rows, H key-value heads, T columns, D head width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

Pair = tuple[torch.Tensor, torch.Tensor]  # keys and values of a layer, (B, H, T, D) each

SPARE = 64  # columns kept free behind the rows, so that all are copied once in 64 steps


def is_plain(config: PreTrainedConfig) -> bool:
    """Whether all that a model keeps of a token is its keys and values.

    Layers that look at a window keep all of it too: a mask hides the rest, by distance. Chunks
    are counted from the first column, so rows would have to stay in their places.
    """
    layers = {type(layer) for layer in DynamicCache(config=config).layers}
    chunked = getattr(config, "attention_chunk_size", None) is not None
    return layers <= {DynamicLayer, DynamicSlidingWindowLayer} and not chunked


def pairs(cache: Cache) -> list[Pair]:
    """The keys and values of each layer."""
    return [(layer.keys, layer.values) for layer in cache.layers]  # type: ignore


def grown(start: list[Pair], count: int) -> Cache:
    """A cache of `count` rows that all hold what the one row of `start` holds."""
    cache = DynamicCache()
    for i, (keys, values) in enumerate(start):
        cache.update(keys.expand(count, -1, -1, -1), values.expand(count, -1, -1, -1), i)
    return cache


class Room:
    """Memory for `count` rows that end in column `width`, with `SPARE` columns behind it."""

    def __init__(self, count: int, width: int) -> None:
        self.count, self.width = count, width
        self.stores: list[Pair] = []

    def _beside(self, cache: Cache) -> Iterator[Pair]:
        """Each tensor of ours with the one of `cache` that it takes rows from."""
        theirs = pairs(cache)
        if not self.stores:
            self.stores = [(self._empty(keys), self._empty(values)) for keys, values in theirs]
        for mine, other in zip(self.stores, theirs, strict=True):
            yield mine[0], other[0]
            yield mine[1], other[1]

    def _empty(self, like: torch.Tensor) -> torch.Tensor:
        # zeros: attention multiplies what its mask hides with 0, and garbage may be infinite
        return like.new_zeros(self.count, like.shape[1], self.width + SPARE, like.shape[3])

    def move(self, cache: Cache, rows: torch.Tensor, longest: int) -> None:
        """Make `rows` of a cache, at most `longest` long and at its right end, our first rows."""
        for mine, theirs in self._beside(cache):
            columns = slice(self.width - longest, self.width)
            mine[: len(rows), :, columns] = theirs[:, :, -longest:][rows]

    def place(self, cache: Cache, row: int, length: int, places: Sequence[int]) -> None:
        """Copy a row that begins in the first column of `cache` to each of `places`."""
        for mine, theirs in self._beside(cache):
            for place in places:  # by an index tensor it takes many times as long
                mine[place, :, self.width - length : self.width] = theirs[row, :, :length]

    def cache(self) -> Cache:
        """A cache that grows into the spare columns."""
        return Cache(layers=[_Layer(*pair, self.width) for pair in self.stores])


class _Layer(DynamicLayer):
    """A layer with memory to grow into: a step writes its own column and copies no other."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, used: int) -> None:
        super().__init__()
        self.stores = keys, values
        self.dtype, self.device, self.is_initialized = keys.dtype, keys.device, True
        self._show(used)

    def _show(self, used: int) -> None:
        self.keys, self.values = (store[:, :, :used] for store in self.stores)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **rest: Any
    ) -> Pair:
        """Write behind the last column in use; return all columns in use."""
        used = self.get_seq_length()
        end = used + key_states.shape[-2]
        for store, states in zip(self.stores, (key_states, value_states), strict=True):
            store[:, :, used:end] = states
        self._show(end)
        return self.keys, self.values  # type: ignore[return-value]
