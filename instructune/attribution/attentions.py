"""What a model's tokens look at: attention as its layers compute it, and as rollout joins them.

Shapes: H heads, T tokens, S what they can look at: T, and virtual tokens of an adapter before.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from instructune.answering.forward import CACHES, Forward
from instructune.errors import Exit, UserError
from instructune.training.goals import Target

See = Callable[[int, torch.Tensor], None]


@torch.inference_mode()
def watch(model: Any, run: Callable[[], Any], see: See) -> None:
    """Run the model on one row; `see(layer, weights)` is shown each layer's attention (H, T, S).

    One layer's weights are in memory at a time.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    layers = 0
    last: torch.Tensor | None = None

    def look(module: Any, given: Any, found: Any) -> None:
        nonlocal layers, last
        weights = found[1] if type(found) is tuple and len(found) > 1 else None
        # a block may hand on what the attention inside it returned
        if isinstance(weights, torch.Tensor) and weights.ndim == 4 and weights is not last:
            see(layers, weights[0].float())
            layers, last = layers + 1, weights

    hooks = [module.register_forward_hook(look) for module in inner.modules()]
    try:
        with _eager(inner):
            run()
    finally:
        for hook in hooks:
            hook.remove()
    if not layers:
        kind = inner.config.model_type
        raise UserError(f"models of type {kind} have no attention to show", code=Exit.MISMATCH)


@contextmanager
def _eager(model: Any) -> Iterator[None]:
    """Attention step by step, as the faster ways do not tell the weights."""
    from instructune.libraries import quiet

    before = model.config._attn_implementation
    with quiet():
        model.set_attn_implementation("eager")
        try:
            yield
        finally:
            model.set_attn_implementation(before)


def of_answer(model: Any, ids: Sequence[int], seen: Mean | Rollout) -> tuple[torch.Tensor, int]:
    """The rows that `seen` makes of ids up to the answer's last but one; (rows, S).

    Virtual tokens of an adapter are one column, the first; the number is 1 where there is it.
    """
    with torch.inference_mode():
        forward = Forward(model)
    watch(model, lambda: forward(forward.tensor([list(ids)]), forward.cache(1)), seen.see)
    return _with_virtual(seen.result(), len(ids))


def of_target(model: Any, target: Target, seen: Mean | Rollout) -> tuple[torch.Tensor, int]:
    """The same of the row that an answer without a text was read in."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    if inner.config.is_encoder_decoder:
        kind = inner.config.model_type
        raise UserError(f"{kind} models look at a text in more than one way", code=Exit.MISMATCH)
    ids = torch.tensor([target.row.ids], device=model.device)
    watch(model, lambda: target.score(model, ids), seen.see)
    return _with_virtual(seen.result(), ids.shape[1])


def places_of(model: Any, target: Target) -> list[int]:
    """The tokens at which a row's answer is read: of decoders the last, of encoders the first.

    A target may name others. Counted from the end, as what stands before a row varies.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    takes, length = inspect.signature(inner.forward).parameters, len(target.row.ids)
    places = target.places or ((-1,) if takes.keys() & set(CACHES) else (0,))
    return [place % length - length for place in places]


def _with_virtual(rows: torch.Tensor, length: int) -> tuple[torch.Tensor, int]:
    virtual = rows.shape[1] - length
    if not virtual:
        return rows, 0
    return torch.cat([rows[:, :virtual].sum(1, keepdim=True), rows[:, virtual:]], 1), 1


class Mean:
    """The attention of tokens, averaged over layers and heads or of one: the last `rows`.

    Or those at `rows`, counted from the end.
    """

    def __init__(
        self, rows: int | Sequence[int], layer: int | None = None, head: int | None = None
    ) -> None:
        self.rows, self.layer, self.head = _counted(rows), layer, head
        self._sum: torch.Tensor | None = None
        self._layers, self._heads, self._used = 0, 0, 0

    def see(self, layer: int, weights: torch.Tensor) -> None:
        """Take in a layer's attention (H, T, S)."""
        self._layers, self._heads = layer + 1, len(weights)
        if self.layer not in (None, layer) or (self.head is not None and self.head >= len(weights)):
            return
        rows = weights[:, self.rows]
        found = rows.mean(0) if self.head is None else rows[self.head]
        self._sum = found if self._sum is None else self._sum + found
        self._used += 1

    def result(self) -> torch.Tensor:
        """The rows, (rows, S); raises UserError where the model lacks that layer or head."""
        if self._sum is None:
            raise UserError(
                f"the model has {self._layers} layers of {self._heads} heads, counted from 0",
                code=Exit.USAGE,
            )
        return self._sum / self._used


class Rollout:
    """Attention through all layers: Abnar and Zuidema 2020, arXiv 2005.00928.

    Each layer's is averaged over heads and, for the residual connection, with the identity.
    """

    def __init__(self, rows: int | Sequence[int]) -> None:
        self.rows = _counted(rows)
        self._joined: torch.Tensor | None = None

    def see(self, layer: int, weights: torch.Tensor) -> None:
        """Take in a layer's attention (H, T, S)."""
        mean = weights.mean(0)
        size = mean.shape[1]
        step = torch.eye(size, device=mean.device)  # virtual tokens stay what they are
        step[size - len(mean) :] = (step[size - len(mean) :] + mean) / 2
        self._joined = step if self._joined is None else step @ self._joined

    def result(self) -> torch.Tensor:
        """The rows, (rows, S)."""
        assert self._joined is not None
        return self._joined[self.rows]


def _counted(rows: int | Sequence[int]) -> list[int]:
    return list(range(-rows, 0)) if isinstance(rows, int) else list(rows)
