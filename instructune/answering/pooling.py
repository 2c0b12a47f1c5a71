"""Token sequences in, one vector each out: the mean of the model's last hidden states.

Shapes: B rows, T tokens of the longest, H hidden width.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch

from instructune.answering.forward import CACHES, Forward
from instructune.answering.running import groups
from instructune.errors import Exit, UserError

Read = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]  # ids and mask (B, T) to (B, T, H)


@torch.inference_mode()
def pooled(
    model: Any, sequences: Sequence[Sequence[int]], tick: Callable[[int], None] = lambda done: None
) -> torch.Tensor:
    """The mean over each sequence's tokens of what the output layer gets, at length 1; (n, H).

    Of an encoder-decoder it is what the encoder gives.
    `tick` is told how many are done.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    decodes = inspect.signature(inner.forward).parameters.keys() & set(CACHES)
    if inner.config.is_encoder_decoder:
        read = _of_first_half(inner)
    else:
        read = _of_decoder(model) if decodes else _of_encoder(model, inner)
    order = sorted(range(len(sequences)), key=lambda i: (-len(sequences[i]), i))
    found: list[torch.Tensor] = [torch.empty(0)] * len(sequences)
    places, done = iter(order), 0
    for group in groups([tuple(sequences[i]) for i in order], 0):
        width = len(group[0])
        ids = torch.tensor([[*row, *[0] * (width - len(row))] for row in group])
        lengths = torch.tensor([len(row) for row in group])
        mask = (torch.arange(width) < lengths[:, None]).long()
        hidden = read(ids.to(model.device), mask.to(model.device))
        for states, row in zip(hidden.float(), group, strict=True):
            mean = states[: len(row)].mean(0)
            found[next(places)] = mean / mean.norm().clamp(min=1e-12)
        done += len(group)
        tick(done)
    return torch.stack(found)


def _of_first_half(inner: Any) -> Read:
    encoder = inner.get_encoder()

    def read(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        return found

    return read


def _of_decoder(model: Any) -> Read:
    forward = Forward(model)
    decoder = _decoder(forward.model)

    def read(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        # padded on the right, where a causal model does not see it
        given: Any = {"past_key_values": forward.cache(len(ids))} if forward.attends else {}
        found: torch.Tensor = decoder(
            input_ids=ids, use_cache=forward.attends, **given
        ).last_hidden_state
        return found

    return read


def _of_encoder(model: Any, inner: Any) -> Read:
    """What the model below the head gives; the head is run, for what an adapter puts before."""
    states: list[torch.Tensor] = []

    def read(ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        hook = inner.base_model.register_forward_hook(
            lambda module, given, found: states.append(found.last_hidden_state)
        )
        try:
            model(input_ids=ids, attention_mask=mask)
        finally:
            hook.remove()
        return states.pop()[:, -ids.shape[1] :]

    return read


def _decoder(model: Any) -> Any:
    """The model below its output layer."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder = inner.get_decoder() if hasattr(inner, "get_decoder") else inner.base_model
    if decoder in (None, inner):
        kind = inner.config.model_type
        raise UserError(f"models of type {kind} show no hidden states", code=Exit.MISMATCH)
    return decoder
