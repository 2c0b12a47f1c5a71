"""Token losses of a causal model, computed at the supervised positions only.

Shapes: B rows, T tokens, N supervised positions, H hidden width, V vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch

from instructune.training import losses
from instructune.training.batches import Batch
from instructune.training.unpadding import is_unpadded

_CHUNK = 256  # positions through the output layer at once: V times this stays cache-friendly


def supervised_loss(model: Any, smoothing: float = 0.0) -> Callable[[Batch], torch.Tensor]:
    """The loss function for `model`, by the best way its forward allows.

    `smoothing` is as in `losses.cross_entropy`.

    `fused` where hidden states times the output matrix are the logits, proven on a few tokens;
    `kept` where the forward takes a mask of positions; else all positions, then the mask.
    """
    if _is_plain_head(model):
        return lambda batch: _fused_loss(model, batch, smoothing)
    return lambda batch: _logits_loss(model, batch, smoothing)


def supervised_scores(model: Any, batch: Batch) -> torch.Tensor:
    """The logits of the positions with a weight, in their order; (N, V)."""
    keep = batch.weights > 0
    # embeddings that an adapter puts before a text have logits as well, which nothing is learned of
    before = keep.new_zeros(len(keep), virtual_positions(model))
    places = torch.cat([before, keep], dim=1)
    if _takes_mask(model):
        logits: torch.Tensor = model(**_inputs(model, batch), logits_to_keep=places).logits
        return logits.reshape(-1, logits.shape[-1])
    return model(**_inputs(model, batch)).logits[places]


def _inputs(model: Any, batch: Batch) -> dict[str, Any]:
    # rows are padded on the right, so a causal model never looks at padding from a real token:
    # without a mask attention takes its fast causal path, and the loss is the same
    mask = batch.attention_mask if is_unpadded(model) else None
    return {"input_ids": batch.input_ids, "attention_mask": mask, "use_cache": False}


def _takes_mask(model: Any) -> bool:
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    return "logits_to_keep" in inspect.signature(inner.forward).parameters


def _logits_loss(model: Any, batch: Batch, smoothing: float) -> torch.Tensor:
    keep = batch.weights > 0
    scores = supervised_scores(model, batch)
    return losses.cross_entropy(
        scores, batch.targets[keep], batch.weights[keep], smoothing=smoothing
    )


def virtual_positions(model: Any) -> int:
    """How many positions before those of its tokens a model gives something for.

    A prefix of keys and values has none: nothing is computed at its places.
    """
    config = getattr(model, "active_peft_config", None)
    if config is None or not config.is_prompt_learning or config.peft_type == "PREFIX_TUNING":
        return 0
    return int(config.num_virtual_tokens)


def _parts(model: Any) -> tuple[Any, torch.nn.Linear] | None:
    """The decoder below the output layer, and the output layer, where both are plain."""
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    head = inner.get_output_embeddings()
    decoder = inner.get_decoder() if hasattr(inner, "get_decoder") else None
    if type(head) is not torch.nn.Linear or head.bias is not None or decoder in (None, inner):
        return None
    return decoder, head


@torch.no_grad()
def _is_plain_head(model: Any) -> bool:
    """Whether the forward hands the decoder's states to the head, and what comes out on, as is.

    Large numbers take the place of the head's output: of small logits, such as those of random
    weights, scaling and above all a soft cap change too little to be seen.
    """
    parts = _parts(model)
    if parts is None or getattr(model, "prompt_encoder", None):
        return False
    decoder, head = parts
    seen: list[torch.Tensor] = []

    def replaced(module: Any, inputs: tuple[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
        large = torch.linspace(-1e3, 1e3, output.numel()).reshape(output.shape).to(output)
        seen.extend((inputs[0], large))
        return large

    was_training = model.training
    model.eval()
    handle = head.register_forward_hook(replaced)
    try:
        ids = torch.arange(4, device=head.weight.device)[None] % head.weight.shape[0]
        logits = model(input_ids=ids, use_cache=False).logits
        hidden = decoder(input_ids=ids, use_cache=False).last_hidden_state
    finally:
        handle.remove()
        model.train(was_training)
    return (
        len(seen) == 2 and torch.equal(seen[0], hidden) and torch.equal(logits.to(hidden), seen[1])
    )


def _fused_loss(model: Any, batch: Batch, smoothing: float) -> torch.Tensor:
    decoder, head = _parts(model)  # type: ignore[misc]
    hidden = decoder(**_inputs(model, batch)).last_hidden_state  # (B, T, H)
    keep = batch.weights > 0
    # autograd asks for a parameter's gradient even where it is switched off
    weight = head.weight if torch.is_grad_enabled() else head.weight.detach()
    targets, weights = batch.targets[keep], batch.weights[keep]
    return _LinearCrossEntropy.apply(hidden[keep], weight, targets, weights, smoothing)


class _LinearCrossEntropy(torch.autograd.Function):
    """Sum of weighted cross-entropies of `hidden @ weight.T`, a chunk of positions at a time.

    The gradients are computed with the loss, while the logits of a chunk are at hand, so no
    (N, V) tensor is ever stored (the idea of Cut Cross-Entropy, Wijmans et al. 2024,
    arXiv 2411.09009).
    """

    @staticmethod
    def forward(
        ctx: Any,
        hidden: torch.Tensor,
        weight: torch.Tensor,
        targets: torch.Tensor,
        weights: torch.Tensor,
        smoothing: float,
    ) -> torch.Tensor:
        """`hidden` (N, H), `weight` (V, H), `targets` and `weights` (N,); 0-d, float32.

        `smoothing` is the share of each target that is spread over all V.
        """
        need_hidden, need_weight = ctx.needs_input_grad[:2]
        grad_hidden = torch.empty_like(hidden) if need_hidden else None
        grad_weight = torch.zeros_like(weight) if need_weight else None
        total = torch.zeros((), dtype=torch.float64)
        for start in range(0, len(hidden), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            logits = hidden[chunk] @ weight.T  # (n, V)
            scores = logits.float()
            norm = torch.logsumexp(scores, dim=-1, keepdim=True)
            right = targets[chunk, None]
            aims = (1 - smoothing) * scores.gather(1, right)
            if smoothing:
                aims += smoothing * scores.mean(-1, keepdim=True)
            entropies = (norm - aims)[:, 0]
            total += (entropies.double() * weights[chunk]).sum().cpu()
            if grad_hidden is None and grad_weight is None:
                continue
            grad = scores.sub_(norm).exp_()  # softmax, in place of the scores
            if smoothing:
                grad.sub_(smoothing / grad.shape[1])
            grad.scatter_add_(1, right, torch.full_like(right, smoothing - 1, dtype=grad.dtype))
            grad = grad.mul_(weights[chunk, None]).to(weight.dtype)
            if grad_hidden is not None:
                torch.mm(grad, weight, out=grad_hidden[chunk])
            if grad_weight is not None:
                grad_weight.addmm_(grad.T, hidden[chunk])
        ctx.save_for_backward(grad_hidden, grad_weight)
        return total.to(device=hidden.device, dtype=torch.float32)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients that `forward` left, scaled."""
        grads = [None if grad is None else grad * grad_output for grad in ctx.saved_tensors]
        return *grads, None, None, None
