"""peft's wrapping of a model, whatever its head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instructune.architectures import TASKS, kind_of

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel


def wrapped(model: PreTrainedModel, config: type, **settings: Any) -> PeftModel:
    """The model with an adapter of this config; a classifier's head is trained beside it."""
    from peft import get_peft_model

    task = TASKS[kind_of(type(model).__name__)]
    found: PeftModel = get_peft_model(model, config(task_type=task, **settings))
    return found
