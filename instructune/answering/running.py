"""Prompts in, next-token logits out, a step at a time: the rows that are being answered.

Shapes: B rows, n new rows, V vocabulary. All rows end in the same column, so what pads the
shorter ones stands on their left.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import torch
from transformers import Cache, DynamicCache, PreTrainedModel

from instructune.answering.caches import SPARE, Pair, Room, grown, is_plain, pairs
from instructune.answering.encoded import EncodedRows
from instructune.answering.forward import Forward

Tokens = Sequence[int]
Prompt = tuple[int, ...]

_GROUP = 512  # prompt tokens through the model at once: enough for full speed, little padding
_SHARED = 8  # a shorter common beginning is not worth a pass of its own


def rows_of(model: PreTrainedModel, prompts: Sequence[Tokens]) -> Rows | PaddedRows | EncodedRows:
    """An empty set of rows, which will hold some of `prompts` at a time."""
    if model.config.is_encoder_decoder:
        return EncodedRows(model)
    forward = Forward(model)
    if is_plain(forward.config):
        return Rows(forward, common_start(prompts))
    return PaddedRows(forward)


def common_start(prompts: Sequence[Tokens]) -> list[int]:
    """The tokens that all prompts begin with, such as a system turn; empty where they are few.

    It is never all of a prompt: the last token's logits are wanted.
    """
    first, last = min(map(list, prompts)), max(map(list, prompts))
    shared: list[int] = os.path.commonprefix([first, last])  # type: ignore[assignment]
    start = shared[: min(map(len, prompts)) - 1]
    return start if len(start) >= _SHARED and first != last else []


class Rows:
    """Rows that others may join at any time.

    A prompt goes through the model beside prompts of about its length, padded on the right, which
    a causal model never sees, and without the beginning that all share. Its keys and values are
    then moved to where the rows end.
    """

    joins = True

    def __init__(self, forward: Forward, start: list[int]) -> None:
        self.forward, self.start = forward, start
        self.ahead = pairs_length(forward.virtual)  # tokens that no prompt names
        self.lengths: list[int] = []  # tokens of each row, those ahead included
        self.cache: Cache = DynamicCache()
        self.mask = torch.ones(0, 0)
        self._started: list[Pair] = []

    def step(self, tokens: Tokens) -> torch.Tensor:
        """Add a token to each row; the logits of the next, (B, V)."""
        if self.cache.get_seq_length() == self.mask.shape[1]:
            self.change(range(len(self.lengths)), [])
        logits = self.forward(
            self.forward.tensor(tokens)[:, None],
            self.cache,
            mask=self.mask[:, : self.cache.get_seq_length() + 1],
            positions=self.forward.tensor(self.lengths)[:, None],
        )
        self.lengths = [length + 1 for length in self.lengths]
        return logits

    def change(self, keep: Sequence[int], prompts: Sequence[Tokens]) -> torch.Tensor:
        """Forget all rows but `keep`, then add `prompts`; the logits of the latter, (n, V)."""
        kept = [self.lengths[i] for i in keep]
        lengths = kept + [self.ahead + len(prompt) for prompt in prompts]
        room = Room(len(lengths), max(lengths))
        if kept:
            room.move(self.cache, self.forward.tensor(keep), max(kept))
        added = [tuple(prompt) for prompt in prompts]
        logits: dict[Prompt, torch.Tensor] = {}
        for group, cache, ends in self._read(set(added)):
            for i, prompt in enumerate(group):
                rows = [len(kept) + k for k, other in enumerate(added) if other == prompt]
                room.place(cache, i, self.ahead + len(prompt), rows)
                logits[prompt] = ends[i]
        self.lengths, self.cache = lengths, room.cache()
        columns = torch.arange(room.width + SPARE, device=self.forward.device)
        self.mask = (columns >= room.width - self.forward.tensor(lengths)[:, None]).long()
        return torch.stack([logits[prompt] for prompt in added]) if added else torch.empty(0)

    def _read(
        self, prompts: Iterable[Prompt]
    ) -> Iterator[tuple[list[Prompt], Cache, torch.Tensor]]:
        """Pass prompts through the model in groups: each with its cache and its last logits."""
        skip = len(self.start)
        for group in groups(sorted(prompts, key=lambda p: (-len(p), p)), skip):
            tails = [prompt[skip:] for prompt in group]
            ids = torch.zeros(len(tails), len(tails[0]), dtype=torch.long)
            for row, tail in zip(ids, tails, strict=True):
                row[: len(tail)] = torch.tensor(tail)
            cache = grown(self._beginning(), len(group))
            ends = self.forward.tensor([len(tail) - 1 for tail in tails])
            yield group, cache, self.forward(ids.to(self.forward.device), cache, ends=ends)

    def _beginning(self) -> list[Pair]:
        """What stands before every tail, read once."""
        if not self.start:
            return self.forward.virtual
        if not self._started:
            cache = grown(self.forward.virtual, 1)
            self.forward(self.forward.tensor(self.start)[None], cache)
            self._started = pairs(cache)
        return self._started


def pairs_length(layers: list[Pair]) -> int:
    """The number of tokens that keys and values stand for."""
    return layers[0][0].shape[-2] if layers else 0


def groups(prompts: Sequence[Prompt], skip: int) -> Iterator[list[Prompt]]:
    """Cut prompts, the longest first, where a group would be more than `_GROUP` tokens.

    The first `skip` tokens of each are not read.
    """
    group: list[Prompt] = []
    for prompt in prompts:
        if group and (len(group) + 1) * (len(group[0]) - skip) > _GROUP:
            yield group
            group = []
        group.append(prompt)
    if group:
        yield group


class PaddedRows:
    """Rows of a model whose state is more than keys and values, so that none can join later."""

    joins = False

    def __init__(self, forward: Forward) -> None:
        self.forward = forward
        self.cache: Cache = DynamicCache(config=forward.config)
        self.mask = torch.ones(0, 0, dtype=torch.long)

    def step(self, tokens: Tokens) -> torch.Tensor:
        """Add a token to each row; the logits of the next, (B, V)."""
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(tokens), 1)], dim=-1)
        positions = self.mask.sum(-1, keepdim=True) - 1
        ids = self.forward.tensor(tokens)[:, None]
        # Mamba would apply the mask of all tokens to the one that is new
        mask = self.mask if self.forward.attends else None
        return self.forward(ids, self.cache, mask=mask, positions=positions)

    def change(self, keep: Sequence[int], prompts: Sequence[Tokens]) -> torch.Tensor:
        """Forget all rows but `keep`, or all and begin with `prompts`; the logits of the latter."""
        if not prompts:
            rows = self.forward.tensor(keep)
            self.cache.reorder_cache(rows)
            self.mask = self.mask[rows]
            return torch.empty(0)
        assert not keep, "a row cannot join others here"
        width = max(map(len, prompts))
        self.cache = DynamicCache(config=self.forward.config)
        ids = self.forward.tensor([[0] * (width - len(p)) + list(p) for p in prompts])
        self.mask = self.forward.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        positions = (self.mask.cumsum(-1) - 1).clamp(min=0)
        return self.forward(ids, self.cache, mask=self.mask, positions=positions)
