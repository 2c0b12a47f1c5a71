"""What is done to the vectors of a model's input tokens while it trains: noise, or an attack.

Shapes: B rows, T tokens, H width of the vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

from instructune.training.batches import Batch

Loss = Callable[[Batch], torch.Tensor]
Change = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From ids (B, T) and their vectors (B, T, H) to other vectors."""


def lookups(model: Any) -> list[torch.nn.Module]:
    """The modules that look the input's tokens up; of an encoder-decoder, the encoder's alone."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    weight = inner.get_input_embeddings().weight
    outputs: set[int] = set()
    if inner.config.is_encoder_decoder:
        outputs = {id(module) for module in inner.get_decoder().modules()}
    return [
        module
        for module in inner.modules()
        if isinstance(module, torch.nn.Embedding)
        and module.weight is weight
        and id(module) not in outputs
    ]


@contextmanager
def changed(modules: Sequence[torch.nn.Module], change: Change) -> Iterator[None]:
    """What the modules look up goes through `change`."""
    handles = [
        module.register_forward_hook(lambda _, inputs, output: change(inputs[0], output))
        for module in modules
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def noised(model: Any, loss: Loss, alpha: float) -> Loss:
    """The loss with uniform noise on the vectors, of `alpha / sqrt(L * H)` at most.

    L is the number of tokens in the row, or in the text of a packed row that `segments` number;
    padding does not count (NEFTune, Jain et al. 2023, arXiv 2310.05914). Draws from torch's
    generator.
    """
    modules = lookups(model)

    def noisy(batch: Batch) -> torch.Tensor:
        def add(ids: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
            lengths = segment_lengths(ids, batch)[..., None]
            noise = torch.empty_like(vectors, dtype=torch.float32).uniform_(-1, 1)
            noise *= alpha / (lengths * vectors.shape[-1]).sqrt()
            return vectors + noise.to(vectors.dtype)

        with changed(modules, add):
            return loss(batch)

    return noisy


def segment_lengths(ids: torch.Tensor, batch: Batch) -> torch.Tensor:
    """Of each of the ids (B, T), how many tokens its row, or its text in one, has; float32."""
    mask = _mask_of(ids, batch)
    present = torch.ones_like(ids) if mask is None else mask
    parts = batch.inputs.get("segments")
    if parts is None or parts.shape != ids.shape:
        parts = torch.zeros_like(ids)
    counts = torch.zeros(len(ids), ids.shape[1] + 1, device=ids.device)
    counts.scatter_add_(1, parts, present.to(counts))
    return counts.gather(1, parts).clamp(min=1)


def _mask_of(ids: torch.Tensor, batch: Batch) -> torch.Tensor | None:
    """The mask that belongs to the ids of the batch, of which a model may have made a view."""
    if ids.data_ptr() == batch.input_ids.data_ptr():
        return batch.attention_mask
    for name, tensor in batch.inputs.items():
        if name.endswith("input_ids") and ids.data_ptr() == tensor.data_ptr():
            return batch.inputs.get(name.replace("input_ids", "attention_mask"))
    return None


def attacked(model: Any, loss: Loss, attack: ModuleType, options: Any) -> Loss:
    """The loss whose gradient is that of clean rows plus that of rows moved by `attack`.

    Its value is the clean one. Each row is moved by its own gradient, so that it does not matter
    with which others it is computed; the parameters are left alone.
    """
    modules = lookups(model)

    def moved(perturbations: list[torch.Tensor], gradients: Sequence[torch.Tensor]) -> Any:
        pairs = zip(perturbations, gradients, strict=True)
        return [attack.moved(one.detach(), grad.float(), options) for one, grad in pairs]

    def on(batch: Batch, perturbations: list[torch.Tensor]) -> torch.Tensor:
        waiting = iter(perturbations)

        def add(_: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
            return vectors + next(waiting).to(vectors.dtype)

        with changed(modules, add):
            return loss(batch)

    def both(batch: Batch) -> torch.Tensor:
        seen: list[torch.Tensor] = []

        def watch(_: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
            if not vectors.requires_grad:  # the embeddings are frozen
                vectors = vectors.detach().requires_grad_()
            seen.append(vectors)
            return vectors

        with changed(modules, watch):
            clean = loss(batch)
        if not torch.is_grad_enabled():
            return clean
        gradients = torch.autograd.grad(clean, seen, retain_graph=True)
        nothing = [torch.zeros_like(one, dtype=torch.float32) for one in seen]
        perturbations = moved(nothing, gradients)
        for _ in range(attack.steps(options) - 1):
            for one in perturbations:
                one.requires_grad_()
            gradients = torch.autograd.grad(on(batch, perturbations), perturbations)
            perturbations = moved(perturbations, gradients)
        worse = on(batch, perturbations)
        return clean + (worse - worse.detach())

    return both
