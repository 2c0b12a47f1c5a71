"""Token prompts in, token completions out: one left-padded batch, finished rows retired.

Shapes: B rows still running, T tokens so far, V vocabulary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from transformers import DynamicCache, PreTrainedModel

_RETIRE = 0.75  # the cache is rebuilt once at most this share of its rows still runs


class Settings(NamedTuple):
    """How tokens are chosen; temperature 0 takes the likeliest."""

    temperature: float
    top_p: float
    top_k: int


@dataclass
class Row:
    """One completion in the making. `done(ids)` says whether its text ended by a stop string."""

    prompt: list[int]
    most: int
    key: str
    done: Callable[[list[int]], bool] | None = None
    ids: list[int] = field(default_factory=list)
    finish_reason: str | None = None


@torch.inference_mode()
def decode(
    model: PreTrainedModel, rows: Sequence[Row], stops: frozenset[int], settings: Settings, pad: int
) -> None:
    """Fill in `ids` (the stop token left out) and `finish_reason` of every row."""
    running = list(rows)
    generators = {id(row): _generator(row.key, model.device) for row in rows}
    width = max(len(row.prompt) for row in running)
    ids = torch.full((len(running), width), pad, device=model.device)  # (B, T)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(running):
        ids[i, width - len(row.prompt) :] = torch.tensor(row.prompt, device=model.device)
        mask[i, width - len(row.prompt) :] = 1
    cache = DynamicCache(config=model.config)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    while True:
        logits = model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        chosen = _choose(logits, [generators[id(row)] for row in running], settings)
        for row, token in zip(running, chosen.tolist(), strict=True):
            if row.finish_reason is None:
                _take(row, token, stops)
        alive = [i for i, row in enumerate(running) if row.finish_reason is None]
        if not alive:
            return
        if len(alive) <= _RETIRE * len(running):
            keep = torch.tensor(alive, device=model.device)
            cache.batch_select_indices(keep)
            running = [running[i] for i in alive]
            chosen, mask, positions = chosen[keep], mask[keep], positions[keep]
        ids = chosen[:, None]
        mask = torch.cat([mask, mask.new_ones(len(running), 1)], dim=-1)
        positions = positions[:, -1:] + 1


def _take(row: Row, token: int, stops: frozenset[int]) -> None:
    if token in stops:
        row.finish_reason = "stop"
        return
    row.ids.append(token)
    if row.done is not None and row.done(row.ids):
        row.finish_reason = "stop"
    elif len(row.ids) >= row.most:
        row.finish_reason = "length"


def _generator(key: str, device: torch.device) -> torch.Generator:
    """A stream of random numbers of the row's own, so no answer depends on its neighbours."""
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest, "little") >> 1)


def _choose(
    logits: torch.Tensor, generators: list[torch.Generator], settings: Settings
) -> torch.Tensor:
    """One token a row, (B,): the likeliest, or drawn by temperature, top-k and top-p.

    Top-p (nucleus) sampling as in Holtzman et al. 2019, arXiv 1904.09751: the smallest set of
    likeliest tokens whose probabilities reach p.
    """
    if not torch.isfinite(logits).all():
        raise FloatingPointError("the model's output is not finite")
    if settings.temperature == 0:
        return logits.argmax(-1)
    scores = logits.float() / settings.temperature
    if settings.top_k:
        scores, order = scores.topk(min(settings.top_k, scores.shape[-1]))
    else:
        scores, order = scores.sort(descending=True)
    probabilities = scores.softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    probabilities = probabilities.where(before < settings.top_p, 0.0)
    probabilities[:, 0].clamp_(min=torch.finfo(torch.float32).tiny)  # the likeliest always stays
    heap = probabilities.double().cumsum(-1)
    draws = torch.stack([torch.rand(1, generator=g, dtype=torch.float64) for g in generators])
    places = torch.searchsorted(heap, draws.to(heap.device) * heap[:, -1:], right=True)
    return order.gather(-1, places.clamp(max=order.shape[-1] - 1))[:, 0]
