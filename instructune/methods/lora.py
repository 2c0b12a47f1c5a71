"""Low-rank updates beside frozen linear layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.errors import did_you_mean, usage
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Hu et al. 2021, arXiv 2106.09685"


@dataclass(frozen=True)
class Options:
    """Rank and scale (`alpha / rank`) of the update, its dropout, and where it goes."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("rank", self.rank), ("alpha", self.alpha)):
            if value < 1:
                raise usage(f"method 'lora': {name} must be at least 1, got {value}")
        if not 0 <= self.dropout < 1:
            raise usage(f"method 'lora': dropout must be from 0 to below 1, got {self.dropout}")


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and add an update to all linear layers but the output layer.

    `target_modules` names others by the ends of their names. Adapter weights are float32.
    """
    from peft import LoraConfig

    return wrapped(
        model,
        LoraConfig,
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules=_targets(model, options.target_modules),
    )


def _targets(model: PreTrainedModel, wanted: tuple[str, ...]) -> list[str] | str:
    """What peft is told; it asks for one fitting name, we for all to fit."""
    from torch.nn import Embedding, Linear
    from transformers.pytorch_utils import Conv1D

    if not wanted:
        return "all-linear"
    layers = [n for n, m in model.named_modules() if isinstance(m, Linear | Embedding | Conv1D)]
    for end in wanted:
        if not any(f".{name}".endswith(f".{end}") for name in layers):
            known = {name.rpartition(".")[2] for name in layers}
            raise usage(f"method 'lora': no layer is named {end!r}", hint=did_you_mean(end, known))
    return list(wanted)
