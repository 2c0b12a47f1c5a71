"""Token prompts in, token completions out: finished rows make room for waiting ones.

Shapes: B rows still running, V vocabulary.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from transformers import PreTrainedModel

from instructune.answering.running import rows_of

_CANDIDATES = 256  # tokens looked at first for top-p: sorting a vocabulary takes as long as a step
_RETIRE = 0.75  # rows are taken out and in once at most this share of them still runs


class Settings(NamedTuple):
    """How tokens are chosen; temperature 0 takes the likeliest, top_k 0 draws from all.

    With `logprobs` each row keeps how likely the model found its tokens, before any of these.
    """

    temperature: float
    top_p: float
    top_k: int
    logprobs: bool = False


@dataclass
class Row:
    """One completion in the making, at `most` tokens long.

    `key` is what its random numbers come from; `ended(ids)` says whether its text has ended by a
    stop string. `finish_reason` is stop, length or error, where the model's output is not finite.
    `logprobs` are of `ids`, and of the token that stopped it, which is `stop`.
    """

    prompt: list[int]
    most: int
    key: str
    ended: Callable[[list[int]], bool] | None = None
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish_reason: str | None = None
    stop: int | None = None


@torch.inference_mode()
def decode(
    model: PreTrainedModel,
    rows: Sequence[Row],
    stops: frozenset[int],
    settings: Settings,
    batch_size: int,
    tick: Callable[[int], None] = lambda tokens: None,
) -> None:
    """Fill in `ids` (the stop token left out) and `finish_reason` of every row.

    At most `batch_size` rows run at a time, in the order given; `tick` hears of new tokens.
    """
    if not rows:
        return
    waiting, running = deque(rows), list[Row]()
    cache = rows_of(model, [row.prompt for row in rows])
    while True:
        alive = [i for i, row in enumerate(running) if row.finish_reason is None]
        if len(alive) > _RETIRE * len(running):
            logits = cache.step([row.ids[-1] if row.ids else 0 for row in running])
            tick(_advance(running, logits, stops, settings))
            continue
        free = batch_size - len(alive) if cache.joins or not alive else 0
        fresh = [waiting.popleft() for _ in range(min(free, len(waiting)))]
        running = [running[i] for i in alive] + fresh
        if not running:
            return
        logits = cache.change(alive, [row.prompt for row in fresh])
        if fresh:
            tick(_advance(fresh, logits, stops, settings))


def _advance(
    rows: list[Row], logits: torch.Tensor, stops: frozenset[int], settings: Settings
) -> int:
    """Give each unfinished row its next token; the number of tokens given."""
    going = [i for i, row in enumerate(rows) if row.finish_reason is None]
    places = [(rows[i].key, len(rows[i].ids)) for i in going]
    logits = logits[going]
    tokens = choose(logits, places, settings)
    if settings.logprobs:
        chosen = torch.tensor([token or 0 for token in tokens], device=logits.device)[:, None]
        found = logits.float().log_softmax(-1).gather(-1, chosen)[:, 0].tolist()
        for i, logprob in zip(going, found, strict=True):
            rows[i].logprobs.append(logprob)
    for i, token in zip(going, tokens, strict=True):
        _take(rows[i], token, stops)
    return len(going)


def _take(row: Row, token: int | None, stops: frozenset[int]) -> None:
    if token is None:
        row.finish_reason = "error"
        return
    if token in stops:
        row.finish_reason, row.stop = "stop", token
        return
    row.ids.append(token)
    if row.ended is not None and row.ended(row.ids):
        row.finish_reason = "stop"
    elif len(row.ids) >= row.most:
        row.finish_reason = "length"


def choose(
    logits: torch.Tensor, places: Sequence[tuple[str, int]], settings: Settings
) -> list[int | None]:
    """A token for each row of (B, V) logits, None where they are not finite.

    `places` holds each row's key and how many tokens it has: all that a draw depends on.
    """
    if logits.device.type == "mps":
        logits = logits.cpu()  # there is no float64
    best = logits.argmax(-1, keepdim=True)  # a row's NaN or infinity, where it has one
    finite = logits.gather(-1, best).isfinite()[:, 0].tolist()
    chosen = best
    if settings.temperature > 0:
        weights, ids = candidates(logits.float(), settings)
        heap = weights.double().cumsum(-1)  # (B, n)
        draws = torch.tensor([[_draw(*place)] for place in places], dtype=torch.float64)
        found = torch.searchsorted(heap, draws.to(heap.device) * heap[:, -1:], right=True)
        chosen = ids.gather(-1, found.clamp(max=ids.shape[-1] - 1))
    tokens = chosen[:, 0].tolist()
    return [token if good else None for token, good in zip(tokens, finite, strict=True)]


def candidates(logits: torch.Tensor, settings: Settings) -> tuple[torch.Tensor, torch.Tensor]:
    """The tokens to draw from, in the order of their ids, and their weights; (B, n) both.

    Temperature, then top-k, then top-p (nucleus) sampling as in Holtzman et al. 2019, arXiv
    1904.09751: the smallest set of likeliest tokens whose probabilities reach p.
    """
    highest = logits.amax(-1, keepdim=True)
    found = ((logits - highest) / settings.temperature).softmax(-1)
    if not settings.top_k and settings.top_p >= 1:
        return found, torch.arange(found.shape[-1], device=found.device).expand_as(found)
    ranked, ids = _likeliest(found, settings)
    if settings.top_k:
        ranked = ranked / ranked.sum(-1, keepdim=True)
    before = ranked.cumsum(-1) - ranked
    before[:, 0] = -1.0  # the likeliest always stays
    ranked = ranked.where(before < settings.top_p, 0.0)
    # by id, not by rank: two tokens of about the same rank must not swap their places
    ids, order = ids.sort(dim=-1)
    return ranked.gather(-1, order), ids


def _likeliest(found: torch.Tensor, settings: Settings) -> tuple[torch.Tensor, torch.Tensor]:
    """The probabilities to choose among, highest first, and their ids: top-k, or top-p and more."""
    count, size = settings.top_k or _CANDIDATES, found.shape[-1]
    while True:
        ranked, ids = found.topk(min(count, size))
        if settings.top_k or count >= size or (ranked.sum(-1) >= settings.top_p).all():
            return ranked, ids
        count *= 8


def _draw(key: str, step: int) -> float:
    """A number in [0, 1): the row's own, whoever its neighbours are."""
    digest = hashlib.blake2b(f"{key}\0{step}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) * 2.0**-53
