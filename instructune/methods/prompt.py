"""Learned embeddings before every text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from instructune.methods._options import at_least
from instructune.methods._virtual import with_tokens

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel

ADAPTER = True
MERGES = False
PAPER = "Lester et al. 2021, arXiv 2104.08691"


@dataclass(frozen=True)
class Options:
    """Number of virtual tokens, and whether they begin as words of the vocabulary or at random."""

    virtual_tokens: int = 20
    init: Literal["vocabulary", "random"] = "vocabulary"

    def __post_init__(self) -> None:
        at_least("prompt", 1, virtual_tokens=self.virtual_tokens)


def apply(model: PreTrainedModel, options: Options) -> PeftModel:
    """Freeze the model and put learned embeddings before those of the text."""
    from peft import PromptTuningConfig, PromptTuningInit

    first = PromptTuningInit.RANDOM
    if options.init == "vocabulary":
        first = PromptTuningInit.SAMPLE_VOCAB
    return with_tokens(
        model,
        "prompt",
        PromptTuningConfig,
        num_virtual_tokens=options.virtual_tokens,
        prompt_tuning_init=first,
    )
