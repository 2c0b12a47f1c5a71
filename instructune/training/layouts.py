"""Where the tokens of a padded batch are, and which rows attention takes together.

Shapes: B rows, T tokens of the longest, N tokens in all, H width, A attention heads, D their width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

_STEP = 0.9  # rows are attended to apart where they are shorter by that
_ONE_MORE = 10_000  # what attending to one more group costs, in scores of queries and keys


class Group(NamedTuple):
    """Rows of about one length that are attended to together, padded to the longest of them."""

    rows: torch.Tensor  # (b,), of the B
    length: int
    tokens: int
    gather: torch.Tensor | None  # (b * t,) of their own tokens; None where no row is padded
    scatter: torch.Tensor | None  # (n,) of the b * t
    real: torch.Tensor | None  # (b, t), what is no padding

    def padded(self, states: torch.Tensor) -> torch.Tensor:
        """Of their states (n, A, D), (b, A, t, D)."""
        if self.gather is not None:
            states = states.index_select(0, self.gather)
        return states.unflatten(0, (len(self.rows), self.length)).transpose(1, 2)

    def flat(self, states: torch.Tensor) -> torch.Tensor:
        """Of (b, t, A, D) those of tokens, (n, A, D)."""
        states = states.flatten(0, 1)
        return states if self.scatter is None else states.index_select(0, self.scatter)

    def mask(self, whole: torch.Tensor | None, causal: bool) -> torch.Tensor | None:
        """Who may look at whom, (b or 1, 1, t or 1, t); `whole` is the model's own, (B, 1, T, T).

        Padding is on the right, where a causal model never looks.
        """
        own = None
        if whole is not None:
            own = whole if len(whole) == 1 else whole[self.rows]
            own = own[..., : self.length, : self.length]
        if causal or self.real is None:
            return own
        keys = self.real[:, None, None]
        return keys if own is None else own & keys


class Layout(NamedTuple):
    """Where the tokens of a padded batch are; those of the longest rows come first."""

    shape: tuple[int, int]  # B, T
    places: torch.Tensor  # (N,), of the B * T
    groups: list[Group]

    def flat(self, states: torch.Tensor) -> torch.Tensor:
        """States (B, T, ...), or (1, T, ...) that are every row's, as (1, N, ...)."""
        one = len(states) == 1
        places = self.places % self.shape[1] if one else self.places
        return states.flatten(0, 1).index_select(0, places)[None]

    def padded(self, states: torch.Tensor) -> torch.Tensor:
        """States (1, N, H) as (B, T, H), 0 where there is no token."""
        empty = states.new_zeros(self.shape[0] * self.shape[1], states.shape[-1])
        return empty.index_copy(0, self.places, states[0]).unflatten(0, self.shape)

    def is_padded(self, value: Any) -> bool:
        """Whether something has a place for every place of the padded batch."""
        return torch.is_tensor(value) and value.shape[:2] in (self.shape, (1, self.shape[1]))


def layout_of(mask: torch.Tensor, heads: int) -> Layout | None:
    """The layout of a batch by its mask (B, T), padded on the right; None where nothing is."""
    lengths = mask.sum(1).numpy()
    if lengths.min() == mask.shape[1]:
        return None
    order = np.argsort(-lengths, kind="stable")
    rows, length = mask.shape
    within = np.arange(length) < lengths[order, None]
    places = (order[:, None] * length + np.arange(length))[within]
    cuts = _cuts(lengths[order], _ONE_MORE // heads)
    groups = [
        _group(order[a:b], lengths[order[a:b]])
        for a, b in zip(cuts, [*cuts[1:], rows], strict=True)
    ]
    return Layout((rows, length), torch.from_numpy(places), groups)


def _group(rows: np.ndarray, lengths: np.ndarray) -> Group:
    longest, tokens = int(lengths[0]), int(lengths.sum())
    chosen = torch.from_numpy(rows)
    if lengths[-1] == longest:
        return Group(chosen, longest, tokens, None, None, None)
    real = np.arange(longest) < lengths[:, None]
    # padding is a copy of a row's first token: it is never looked at, and what it sees is dropped
    firsts = (np.cumsum(lengths) - lengths)[:, None]
    gather = firsts + np.where(real, np.arange(longest), 0)
    indices = (torch.from_numpy(one) for one in (gather.ravel(), np.flatnonzero(real), real))
    return Group(chosen, longest, tokens, *indices)


def _cuts(lengths: np.ndarray, one_more: int) -> list[int]:
    """Where groups of rows, the longest first, begin, so that attending to all costs least."""
    places = [0]
    for i, length in enumerate(lengths):
        if length < _STEP * lengths[places[-1]]:
            places.append(i)
    ends = [*places[1:], len(lengths)]
    least, cut = [0.0] * (len(places) + 1), [0] * len(places)
    for i in reversed(range(len(places))):
        area = int(lengths[places[i]]) ** 2
        costs = [
            area * (end - places[i]) + one_more + least[i + 1 + n] for n, end in enumerate(ends[i:])
        ]
        best = min(range(len(costs)), key=costs.__getitem__)
        least[i], cut[i] = costs[best], i + 1 + best
    found, i = [], 0
    while i < len(places):
        found.append(places[i])
        i = cut[i]
    return found
