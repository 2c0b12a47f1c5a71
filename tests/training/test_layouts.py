"""layouts: flat and padded states are the same tokens, and groups cost the least."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from instructune.training.layouts import _cuts, layout_of


@given(st.lists(st.integers(1, 12), min_size=2, max_size=12), st.sampled_from([1, 2, 999]))
def test_what_is_flat_pads_to_what_it_was(lengths: list[int], heads: int) -> None:
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    layout = layout_of(mask, heads)
    if len(set(lengths)) == 1:
        assert layout is None
        return
    assert layout is not None
    states = torch.randn(*mask.shape, 3) * mask[..., None]
    flat = layout.flat(states)
    assert flat.shape == (1, sum(lengths), 3)
    assert layout.padded(flat).equal(states)
    own = [
        group.flat(group.padded(part[:, None]).transpose(1, 2))
        for group, part in zip(
            layout.groups, flat[0].split([group.tokens for group in layout.groups]), strict=True
        )
    ]
    assert torch.cat(own)[:, 0].equal(flat[0])
    assert sorted(row for group in layout.groups for row in group.rows.tolist()) == list(
        range(len(lengths))
    )


@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=8).map(lambda n: sorted(n, reverse=True)),
    st.sampled_from([1, 300, 3000]),
)
def test_rows_are_attended_to_where_that_costs_least(lengths: list[int], one_more: int) -> None:
    def cost(cuts: list[int]) -> int:
        ends = [*cuts[1:], len(lengths)]
        areas = (lengths[a] ** 2 * (b - a) for a, b in zip(cuts, ends, strict=True))
        return sum(areas) + one_more * len(cuts)

    places, last = [0], lengths[0]
    for i, length in enumerate(lengths):
        if length < 0.9 * last:
            places, last = [*places, i], length
    some = itertools.chain.from_iterable(
        itertools.combinations(places[1:], n) for n in range(len(places))
    )
    found = _cuts(np.array(lengths), one_more)
    assert cost(found) == min(cost([0, *cuts]) for cuts in some)
