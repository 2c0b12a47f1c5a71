"""Virtual tokens before a text: where they fit, and where their effect would be silently wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instructune.architectures import kind_of
from instructune.methods._layers import unfit
from instructune.methods._peft import wrapped

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


def with_tokens(model: PreTrainedModel, method: str, config: type, **settings: Any) -> PeftModel:
    """The model with virtual tokens; raises UserError (78) where they cannot be right."""
    kind = kind_of(type(model).__name__)
    if kind == "sequence" and method != "prefix" and hasattr(model, "score"):
        # peft passes embeddings instead of tokens: the end of a padded text is then unknown
        raise unfit(method, model, "as classifiers these look for the end of a text in its tokens")
    return wrapped(model, method, config, **settings)
