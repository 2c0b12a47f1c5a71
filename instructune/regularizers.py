"""What keeps a model from learning its rows by heart."""

from __future__ import annotations

import torch

from instructune.errors import Exit, UserError


def set_dropout(model: torch.nn.Module, probability: float) -> None:
    """Use `probability` wherever the model drops activations or attention.

    transformers keeps attention dropout as a number on the attention module.
    """
    places = 0
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability
            places += 1
        elif isinstance(getattr(module, "attention_dropout", None), float | int):
            module.attention_dropout = probability  # type: ignore[assignment]
            places += 1
    if not places:
        raise UserError("this model has no dropout", where="--dropout", code=Exit.MISMATCH)
