"""Only the norms are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instructune.methods._layers import check_ends, unfit
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = True
PAPER = "Zhao et al. 2023, arXiv 2312.11420"


@dataclass(frozen=True)
class Options:
    """The norms to train by the ends of their names; without any, all of them."""

    target_modules: tuple[str, ...] = ()


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model but for its norms, in the model's own dtype: they pass their own on."""
    from peft import LNTuningConfig

    norms = [n for n, m in model.named_modules() if type(m).__name__.endswith("Norm")]
    if not norms:
        raise unfit("layernorm", model, "no module is a norm")
    check_ends(norms, options.target_modules, "layernorm")
    modules = list(options.target_modules) or norms
    return wrapped(model, "layernorm", LNTuningConfig, upcast=False, target_modules=modules)
