"""Keys and values moved about: every row ends where the others end, and nothing else is in it."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoConfig, Cache

from instructune.answering.caches import SPARE, Room, grown, is_plain, pairs


def filled(count: int, length: int, layers: int = 2, seed: int = 0) -> Cache:
    """A cache of random keys and values, which may differ in width."""
    draw = torch.Generator().manual_seed(seed)
    cache = grown([], count)
    for i in range(layers):
        keys = torch.randn(count, 2, length, 4, generator=draw)
        cache.update(keys, torch.randn(count, 2, length, 3, generator=draw), i)
    return cache


def test_rows_are_placed_at_the_right_end():
    source = filled(3, 5)
    room = Room(4, 6)
    room.place(source, 1, 2, [0, 3])
    room.place(source, 2, 5, [1])
    cache = room.cache()
    for (keys, values), (k, v) in zip(pairs(cache), pairs(source), strict=True):
        for mine, theirs in ((keys, k), (values, v)):
            assert mine.shape[2] == 6
            for row in (0, 3):
                assert torch.equal(mine[row, :, 4:], theirs[1, :, :2])
                assert (mine[row, :, :4] == 0).all()
            assert torch.equal(mine[1, :, 1:], theirs[2])
            assert (mine[2] == 0).all()


def test_rows_that_stay_keep_their_right_ends():
    source = filled(4, 7)
    room = Room(3, 5)
    room.move(source, torch.tensor([3, 1]), 4)
    for (keys, _), (k, _) in zip(pairs(room.cache()), pairs(source), strict=True):
        assert torch.equal(keys[:2, :, 1:], k[[3, 1], :, 3:])
        assert (keys[:2, :, :1] == 0).all()
        assert (keys[2] == 0).all()


def test_a_step_writes_its_own_column_and_copies_no_other():
    room = Room(2, 3)
    room.place(filled(1, 3), 0, 3, [0, 1])
    cache = room.cache()
    address = cache.layers[0].keys.data_ptr()
    before = cache.layers[0].keys.clone()
    for step in range(SPARE):
        new = torch.full((2, 2, 1, 4), float(step))
        keys, values = cache.update(new, new[..., :3], 0)
        assert keys.shape[2] == values.shape[2] == cache.get_seq_length() == 4 + step
        assert (keys[:, :, -1] == step).all()
    assert keys.data_ptr() == address
    assert torch.equal(keys[:, :, :3], before)
    assert cache.get_mask_sizes(1, 0) == (4 + SPARE, 0)


def test_one_row_becomes_many():
    source = filled(1, 4)
    cache = grown(pairs(source), 3)
    for (keys, values), (k, v) in zip(pairs(cache), pairs(source), strict=True):
        assert torch.equal(keys, k.repeat(3, 1, 1, 1))
        assert torch.equal(values, v.repeat(3, 1, 1, 1))


@pytest.mark.parametrize(
    ("kind", "settings", "plain"),
    [
        ("llama", {}, True),
        ("gemma2", {}, True),
        ("mistral", {"sliding_window": 8}, True),
        ("llama4_text", {}, False),  # attends within chunks
        ("mamba", {}, False),
        ("lfm2", {"num_hidden_layers": 2, "layer_types": ["conv", "full_attention"]}, False),
    ],
)
def test_what_is_plain(kind, settings, plain):
    assert is_plain(AutoConfig.for_model(kind, **settings)) is plain
