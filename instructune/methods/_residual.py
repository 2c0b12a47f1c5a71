"""LoRA that begins as a part of the weights: saved as what was added to the original ones."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from instructune.training.coaching import Coach

if TYPE_CHECKING:
    import torch
    from peft import PeftModel


class Residual(Coach):
    """Remembers the factors A0 and B0 that were taken out of the weights.

    What was added to the original weights is `s (B A - B0 A0)`, which is LoRA of twice the rank,
    so that it is saved as, and plain peft loads it, on the original model.
    """

    def __init__(self, model: PeftModel) -> None:
        import peft

        tensors = peft.get_peft_model_state_dict(model, save_embedding_layers=False)
        self.first = {k: v.detach().clone() for k, v in tensors.items() if ".lora_" in k}

    def stored(
        self, tensors: dict[str, torch.Tensor], config: Any
    ) -> tuple[dict[str, torch.Tensor], Any]:
        """The factors beside the first ones, and a config of twice the rank."""
        import torch

        found = dict(tensors)
        for name, first in self.first.items():
            is_b, first = ".lora_B" in name, first.to(tensors[name])
            found[name] = torch.cat([tensors[name], -first if is_b else first], dim=int(is_b))
        config = copy.copy(config)
        config.r, config.lora_alpha = 2 * config.r, 2 * config.lora_alpha
        config.init_lora_weights = True  # else peft would take the factors out again
        return found, config
