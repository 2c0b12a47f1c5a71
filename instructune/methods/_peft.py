"""peft's wrapping of a model, whatever its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instructune.architectures import TASKS, kind_of
from instructune.methods._layers import heads, unfit

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


def wrapped(
    model: PreTrainedModel, method: str, config: type, *, upcast: bool = True, **settings: Any
) -> PeftModel:
    """The model with an adapter of this config; a classifier's head is trained beside it.

    Adapter weights are float32 where they may be (`upcast`). Raises UserError (78) where peft
    cannot adapt such a model.
    """
    from peft import get_peft_model

    task = TASKS[kind_of(type(model).__name__)]
    kept = heads(model) or None
    try:
        found: PeftModel = get_peft_model(
            model,
            config(task_type=task, modules_to_save=kept, **settings),
            autocast_adapter_dtype=upcast,
        )
    except (ValueError, TypeError, NotImplementedError, RuntimeError) as error:
        raise unfit(method, model, str(error)) from None
    return found
