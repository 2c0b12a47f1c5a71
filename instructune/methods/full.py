"""Every parameter is trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ADAPTER = False
MERGES = False
PAPER = ""


def apply(model: PreTrainedModel, options: None) -> PreTrainedModel:
    """Make all parameters trainable."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model
