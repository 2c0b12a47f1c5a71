"""Given tokens in, their log-probabilities out.

Shapes: B rows, T tokens of the longest, N tokens that are asked about, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import Cache, DynamicCache, PreTrainedModel

from instructune.answering.caches import Pair, grown, is_plain, pairs
from instructune.answering.encoded import EncodedRows
from instructune.answering.forward import Forward
from instructune.answering.running import groups

Asked = tuple[tuple[int, ...], int]  # a sequence, and the index of its first token asked about

_TOLD = 512  # tokens of outputs through a decoder at once
_STATES = 4096  # tokens of prompts that these look at, of which each layer holds keys and values


@torch.inference_mode()
def log_probabilities(
    model: PreTrainedModel,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    tick: Callable[[int], None] = lambda new: None,
) -> list[list[float]]:
    """The natural logarithm of the probability of each sequence's tokens from its start on.

    What all sequences begin with is read once. A start is at least 1: nothing predicts the first
    token. An encoder reads what stands before the start, its decoder what follows. `tick` is told
    how many different ones were read since it was told last.
    """
    if model.config.is_encoder_decoder:
        return _beside_encoder(model, sequences, starts, tick)
    forward = Forward(model)
    plain = is_plain(forward.config)
    shared = _shared(sequences, starts) if plain and len(sequences) > 1 else 0
    beginning = forward.virtual
    if shared:
        cache = grown(forward.virtual, 1)
        forward(forward.tensor(list(sequences[0][:shared]))[None], cache)
        beginning = pairs(cache)
    asked: list[Asked] = [
        (tuple(ids[shared:]), start - shared) for ids, start in zip(sequences, starts, strict=True)
    ]
    found: dict[Asked, list[float]] = {}
    by_tail: dict[tuple[int, ...], list[Asked]] = {}
    for one in sorted(set(asked), key=lambda one: (-len(one[0]), one)):
        by_tail.setdefault(one[0], []).append(one)
    for group in groups(list(by_tail), 0):
        rows = [one for tail in group for one in by_tail[tail]]
        cache = _begun(forward, beginning, len(rows), plain)
        found |= zip(rows, _of_group(forward, rows, cache), strict=True)
        tick(len(rows))
    return [found[one] for one in asked]


def _beside_encoder(
    model: PreTrainedModel,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    tick: Callable[[int], None],
) -> list[list[float]]:
    """Each prompt is encoded once, however many outputs are asked about."""
    asked = [
        (tuple(ids[:start]), tuple(ids[start:]))
        for ids, start in zip(sequences, starts, strict=True)
    ]
    outputs: dict[tuple[int, ...], set[tuple[int, ...]]] = {}
    for prompt, output in asked:
        outputs.setdefault(prompt, set()).add(output)
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], list[float]] = {}
    rows = EncodedRows(model)
    for group in groups(sorted(outputs, key=lambda ids: (-len(ids), ids)), 0):
        first = rows.change([], group)  # (n, V), behind the token that begins every output
        waiting = [(i, output) for i, prompt in enumerate(group) for output in outputs[prompt]]
        waiting.sort(key=lambda one: (-len(one[1]), one))
        while waiting:
            most = min(_TOLD // len(waiting[0][1]), _STATES // len(group[0]))
            part, waiting = waiting[: max(1, most)], waiting[max(1, most) :]
            for (i, output), told in zip(part, _of_outputs(rows, first, part), strict=True):
                found[group[i], output] = told
            tick(len(part))
    return [found[one] for one in asked]


def _of_outputs(
    rows: EncodedRows, first: torch.Tensor, part: Sequence[tuple[int, tuple[int, ...]]]
) -> list[list[float]]:
    """The log-probabilities of outputs, the longest first, each with its row's number."""
    places = [i for i, _ in part]
    logits = first[places][:, None]  # (n, 1, V)
    if len(part[0][1]) > 1:
        told = [output[:-1] for _, output in part]
        logits = torch.cat([logits, rows.behind(places, told)], 1)
    found = []
    for row, (_, output) in zip(logits, part, strict=True):
        found.append(_at(row[: len(output)].float(), first.new_tensor(output).long()).tolist())
    return found


def answer_likelihood(
    model: PreTrainedModel, length: int, start: int
) -> Callable[[torch.Tensor], torch.Tensor]:
    """A function from ids (B, T), T = `length`, to the log-probability of each row's end, (B,).

    The end is all tokens from `start` on; gradients flow where they are asked for.
    """
    with torch.no_grad():
        forward = Forward(model)
    keep = torch.arange(length, device=forward.device)
    keep = (keep >= start - 1) & (keep < length - 1)

    def likelihood(ids: torch.Tensor) -> torch.Tensor:
        chosen = _chosen(forward, ids, forward.cache(len(ids)), keep.repeat(len(ids), 1))
        return chosen.view(len(ids), -1).sum(-1)

    return likelihood


def _shared(sequences: Sequence[Sequence[int]], starts: Sequence[int]) -> int:
    """Tokens that all begin with; of each, the one before its start stays to be read."""
    first, last = min(map(list, sequences)), max(map(list, sequences))
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )
    return min(same, *(start - 1 for start in starts))


def _begun(forward: Forward, beginning: list[Pair], count: int, plain: bool) -> Cache:
    return grown(beginning, count) if plain else DynamicCache(config=forward.config)


def _of_group(forward: Forward, rows: Sequence[Asked], cache: Cache) -> list[list[float]]:
    """The rows, padded on the right, where a causal model does not see it, in one pass."""
    width = max(len(ids) for ids, _ in rows)
    padded = forward.tensor([list(ids) + [0] * (width - len(ids)) for ids, _ in rows])
    keep = torch.zeros(len(rows), width, dtype=torch.bool, device=forward.device)
    for i, (ids, start) in enumerate(rows):
        keep[i, start - 1 : len(ids) - 1] = True  # the token at t is told behind the one before
    chosen = _chosen(forward, padded, cache, keep)
    return [part.tolist() for part in chosen.split(keep.sum(1).tolist())]


def _chosen(forward: Forward, ids: torch.Tensor, cache: Cache, keep: torch.Tensor) -> torch.Tensor:
    """The log-probability of the token behind each place that `keep` (B, T) marks; (N,)."""
    logits = forward.kept(ids, cache, keep).float()  # (N, V)
    targets = ids.roll(-1, 1)[keep]
    return _at(logits, targets)


def _at(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The log-probability of each target (N,), of logits (N, V)."""
    return logits.gather(1, targets[:, None])[:, 0] - logits.logsumexp(-1)
