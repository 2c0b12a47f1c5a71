"""batches: padded tensors, micro-batches and the order of rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.tokens import Encoding, TokenRow
from instructune.training.batches import (
    TokenData,
    epoch_order,
    micro_batches,
    step_rows,
    steps_per_epoch,
)
from tests.template_families import ZEPHYR, build, chat


def data(*lengths: int) -> TokenData:
    """Rows of ids 10, 11, … in which every token but the first is learned."""
    return TokenData(
        TokenRow(list(range(10, 10 + n)), [0.0] + [1.0] * (n - 1), f"r{i}", f"f:{i}")
        for i, n in enumerate(lengths)
    )


def test_rows_are_padded_on_the_right_and_shifted() -> None:
    rows = [
        TokenRow([5, 6, 7, 8], [0, 0, 1, 0.5], "a", "f:1"),
        TokenRow([9, 4], [0, 1], "b", "f:2"),
        TokenRow([3], [0], "c", "f:3"),
    ]
    batch = TokenData(rows).batch([0, 1, 2], pad_id=99)
    assert batch.input_ids.tolist() == [[5, 6, 7, 8], [9, 4, 99, 99], [3, 99, 99, 99]]
    assert batch.attention_mask is not None
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0]]
    # at each position the token that comes next, and what it counts
    assert batch.targets.tolist() == [[6, 7, 8, 0], [4, 0, 0, 0], [0, 0, 0, 0]]
    assert batch.weights.tolist() == [[0, 1, 0.5, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert batch.units == 2.5
    assert batch.rows == [0, 1, 2]
    kinds = [t.dtype for t in (batch.input_ids, batch.attention_mask, batch.targets, batch.weights)]
    assert kinds == [torch.int64, torch.int64, torch.int64, torch.float32]


def test_no_mask_where_nothing_is_padded() -> None:
    batch = data(3, 3, 2).batch([1, 0], pad_id=0)
    assert batch.attention_mask is None
    assert batch.input_ids.tolist() == [[10, 11, 12], [10, 11, 12]]
    assert data(3, 2).batch([1], pad_id=0).attention_mask is None


def test_padding_that_looks_like_the_stop_is_not_learned_but_the_stop_is(tmp_path: Path) -> None:
    """Zephyr pads with </s>, which also ends its answers."""
    tokenizer = build(ZEPHYR, tmp_path)
    assert tokenizer.pad_id == tokenizer.eos_id
    records = [chat("user: hi", "assistant: hello"), chat("user: hi", "assistant: two plus two")]
    found = TokenData(Encoding(tokenizer).sequences(records))
    batch = found.batch([0, 1], tokenizer.pad_id)
    stops = batch.targets == tokenizer.eos_id
    assert (batch.weights * stops).sum(-1).tolist() == [1, 1]
    assert batch.attention_mask is not None
    padded = batch.attention_mask[:, 1:] == 0
    assert padded.sum().item() == 4
    assert not batch.weights[:, :-1][padded].any()
    assert batch.units == found.learned == 2 + 6


def test_eight_bytes_a_token() -> None:
    found = data(*[1000] * 50)
    assert found.ids.nbytes + found.weights.nbytes == 8 * found.tokens == 8 * 50_000
    assert found.starts.nbytes == 8 * 51
    assert found.records[:2] == ["r0", "r1"]
    assert (len(found), found.learned) == (50, 50 * 999)
    assert found.lengths.tolist() == [1000] * 50


def test_no_rows() -> None:
    empty = TokenData([])
    assert (len(empty), empty.tokens, empty.learned) == (0, 0, 0)
    with pytest.raises(UserError, match="no row is left to train on"):
        next(step_rows(empty, 4, seed=0))


def test_units_are_summed_exactly_enough_for_any_cut() -> None:
    rows = [TokenRow([1] * 4097, [0.0] + [0.1] * 4096, "r", "f:1")] * 8
    found = TokenData(rows)
    whole = found.batch(list(range(8)), 0).units
    parts = sum(found.batch([i], 0).units for i in range(8))
    assert whole == pytest.approx(parts, rel=1e-12)


# --- micro-batches


@pytest.mark.parametrize(
    ("lengths", "most", "groups"),
    [
        ([2, 5, 3, 5, 1], 10, [[1, 3], [2, 0, 4]]),
        ([2, 5, 3, 5, 1], 9, [[1], [3], [2, 0, 4]]),
        ([2, 5, 3, 5, 1], 8, [[1], [3], [2, 0], [4]]),
        ([2, 5, 3, 5, 1], 1, [[1], [3], [2], [0], [4]]),
        ([2, 5, 3, 5, 1], 25, [[1, 3, 2, 0, 4]]),
        ([100, 68, 68], 300, [[0, 1, 2]]),  # padding to 100 costs two times 32, a pass 64
        ([100, 67, 67], 300, [[0], [1, 2]]),
        ([100, 68, 68], 299, [[0], [1, 2]]),
        ([300, 100, 100, 10], 300, [[0], [1, 2], [3]]),
        ([300, 100, 100, 70], 300, [[0], [1, 2, 3]]),
        ([999, 900, 900], 1 << 20, [[0, 1, 2]]),  # a pass counts as a 32nd of so many
    ],
)
def test_micro_batches(lengths: list[int], most: int, groups: list[list[int]]) -> None:
    assert micro_batches(data(*lengths), range(len(lengths)), most) == groups


@pytest.mark.parametrize(
    ("lengths", "most", "groups"),
    [
        ([100, 67, 67], 300, [[0, 1, 2]]),  # 234 tokens, and a tenth of 66 places
        ([100, 67, 67], 240, [[0], [1, 2]]),
        ([100, 67, 67], 241, [[0, 1, 2]]),
        ([1000, 20, 20], 2000, [[0], [1, 2]]),  # 196 for padding, 64 for a pass
        ([100] + [40] * 9, 514, [[*range(10)]]),
        ([30] + [5] * 9, 100, [[0], [*range(1, 10)]]),  # 97.5 together, but 300 places
    ],
)
def test_where_padding_costs_a_tenth(
    lengths: list[int], most: int, groups: list[list[int]]
) -> None:
    found = data(*lengths).groups(range(len(lengths)), most, 64, unpadded=True)
    assert found == groups


many_lengths = st.lists(st.integers(2, 30), min_size=1, max_size=30)


@given(many_lengths, st.integers(1, 100))
def test_micro_batches_hold_every_row_once_within_the_limit(lengths: list[int], most: int) -> None:
    found = data(*lengths)
    chosen = list(range(0, len(lengths), 2))
    groups = micro_batches(found, chosen, most)
    assert sorted(row for group in groups for row in group) == chosen
    for group in groups:
        longest = max(lengths[row] for row in group)
        assert len(group) == 1 or len(group) * longest <= most


@given(
    st.lists(st.integers(2, 300), min_size=1, max_size=7),
    st.sampled_from([1, 300, 600, 6000]),
    st.sampled_from([0.125, 1.0]),
)
def test_micro_batches_cost_the_least(lengths: list[int], most: int, padding: float) -> None:
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))

    def tokens(rows: list[int]) -> float:
        real = sum(lengths[row] for row in rows)
        return real + padding * (len(rows) * lengths[rows[0]] - real)

    def cuts(rows: list[int]) -> Iterator[list[list[int]]]:
        if not rows:
            yield []
        for end in range(1, len(rows) + 1):
            places = end * lengths[rows[0]]
            if end == 1 or (tokens(rows[:end]) <= most and places <= 2 * most):
                yield from ([rows[:end], *rest] for rest in cuts(rows[end:]))

    def cost(groups: list[list[int]]) -> float:
        return sum(max(64, most // 32) + tokens(group) for group in groups)

    groups = micro_batches(data(*lengths), range(len(lengths)), most, padding)
    assert cost(groups) == min(cost(found) for found in cuts(order))


# --- steps


@given(many_lengths, st.integers(1, 8), st.integers(0, 5))
@settings(deadline=None)
def test_each_epoch_holds_every_row_once(lengths: list[int], size: int, seed: int) -> None:
    found = data(*lengths)
    per_epoch = steps_per_epoch(len(lengths), size)
    steps = list(islice(step_rows(found, size, seed), 3 * per_epoch))
    for start in range(0, len(steps), per_epoch):
        epoch = steps[start : start + per_epoch]
        assert sorted(row for step in epoch for row in step) == list(range(len(lengths)))
        assert [len(step) for step in epoch[:-1]] == [size] * (per_epoch - 1)
    assert max(lengths) in [lengths[row] for row in steps[0]]


@given(many_lengths, st.integers(1, 8), st.integers(0, 5), st.integers(0, 40))
@settings(deadline=None)
def test_a_later_start_goes_on_as_if_it_had_not_stopped(
    lengths: list[int], size: int, seed: int, start: int
) -> None:
    found = data(*lengths)
    straight = list(islice(step_rows(found, size, seed), start + 12))
    assert list(islice(step_rows(found, size, seed, start), 12)) == straight[start:]


def test_the_order_is_of_seed_and_epoch_alone() -> None:
    found = data(*range(2, 60))
    first = list(islice(step_rows(found, 4, seed=1), 60))
    assert list(islice(step_rows(found, 4, seed=1), 60)) == first
    assert list(islice(step_rows(found, 4, seed=2), 60)) != first
    per_epoch = steps_per_epoch(len(found), 4)
    epochs = [first[i * per_epoch : (i + 1) * per_epoch] for i in range(3)]
    assert epochs[0] != epochs[1] != epochs[2]
    second = np.concatenate(epochs[1]).tolist()
    assert second == epoch_order(found, seed=1, epoch=1).tolist()


def test_the_longest_row_trades_its_place_with_the_first() -> None:
    found = data(3, 3, 9, 3, 3)
    order = epoch_order(found, seed=0, epoch=0).tolist()
    rows = [row for step in islice(step_rows(found, 2, seed=0), 3) for row in step]
    place = order.index(2)
    order[0], order[place] = order[place], order[0]
    assert rows == order
