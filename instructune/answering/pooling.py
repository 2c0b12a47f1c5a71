"""Token sequences in, one vector each out: the mean of the model's last hidden states.

Shapes: B rows, T tokens of the longest, H hidden width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from instructune.answering.forward import Forward
from instructune.answering.running import groups
from instructune.errors import Exit, UserError


@torch.inference_mode()
def pooled(
    model: Any, sequences: Sequence[Sequence[int]], tick: Callable[[int], None] = lambda done: None
) -> torch.Tensor:
    """The mean over each sequence's tokens of what the output layer gets, at length 1; (n, H).

    `tick` is told how many are done.
    """
    forward = Forward(model)
    decoder = _decoder(forward.model)
    order = sorted(range(len(sequences)), key=lambda i: (-len(sequences[i]), i))
    found: list[torch.Tensor] = [torch.empty(0)] * len(sequences)
    places, done = iter(order), 0
    for group in groups([tuple(sequences[i]) for i in order], 0):
        width = len(group[0])  # padded on the right, where a causal model does not see it
        ids = forward.tensor([[*row, *[0] * (width - len(row))] for row in group])
        given: Any = {"past_key_values": forward.cache(len(group))} if forward.attends else {}
        hidden = decoder(input_ids=ids, use_cache=forward.attends, **given).last_hidden_state
        for states, row in zip(hidden.float(), group, strict=True):
            mean = states[: len(row)].mean(0)
            found[next(places)] = mean / mean.norm().clamp(min=1e-12)
        done += len(group)
        tick(done)
    return torch.stack(found)


def _decoder(model: Any) -> Any:
    """The model below its output layer."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    decoder = inner.get_decoder() if hasattr(inner, "get_decoder") else inner.base_model
    if decoder in (None, inner):
        kind = inner.config.model_type
        raise UserError(f"models of type {kind} show no hidden states", code=Exit.MISMATCH)
    return decoder
