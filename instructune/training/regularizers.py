"""What keeps a model from learning its rows by heart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from instructune.errors import Exit, UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def set_dropout(model: PreTrainedModel, probability: float) -> None:
    """Use `probability` wherever the model drops activations or attention.

    Raises UserError (78) where that would have no effect.
    """
    _set(model, 0.5)
    if not varies(model):
        raise UserError(
            "this model has no dropout that could be set", where="--dropout", code=Exit.MISMATCH
        )
    _set(model, probability)


def _set(model: torch.nn.Module, probability: float) -> None:
    """transformers keeps some as numbers, such as `attention_dropout`, beside the layers.

    An adapter's own dropout is another one.
    """
    for path, module in model.named_modules():
        if "lora_dropout" in path.split("."):
            continue
        if isinstance(module, torch.nn.Dropout):
            module.p = probability
        for name, value in vars(module).items():
            if name.endswith("dropout") and type(value) in (int, float):
                setattr(module, name, probability)


@torch.no_grad()
def varies(model: Any) -> bool:
    """Whether dropout is at work in training mode, be it as a layer or as a number.

    Some models read their config instead of what was set, or have layers that they do not call;
    an adapter that was just made drops activations that it takes times 0.
    """
    called: list[torch.nn.Module] = []
    layers = [m for m in model.modules() if isinstance(m, torch.nn.Dropout) and m.p > 0]
    handles = [m.register_forward_hook(lambda module, *_: called.append(module)) for m in layers]
    was_training = model.training
    ids = torch.arange(8, device=model.device)[None] % model.config.vocab_size
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if model.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = ids
    try:
        with torch.random.fork_rng():
            model.train()
            one, other = (model(**inputs)[0] for _ in range(2))
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    return bool(called) or not torch.equal(one, other)
