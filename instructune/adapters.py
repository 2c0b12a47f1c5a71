"""An adapter folder onto a model: nothing missing, nothing ignored, nothing run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from instructune import bottlenecks
from instructune.errors import Exit, UserError
from instructune.fetching import modelconfigs
from instructune.libraries import check_nothing, naming_failures

_PROMPTS = ("PROMPT_TUNING", "PREFIX_TUNING", "P_TUNING")


def with_adapter(
    model: PreTrainedModel, folder: Path, task: str, *, trainable: bool = False
) -> Any:
    """The model with the adapter in `folder`, which must be for `task`, as peft calls it.

    Where it is `trainable` it asks for gradients, and nothing below it does.

    Raises UserError (78) where it is for another task, or a tensor is missing or left over.
    """
    import peft
    from safetensors import safe_open

    where = str(folder)
    config = modelconfigs.read_document(folder / "adapter_config.json")
    _check_adapter_config(config, task, where)
    if config["peft_type"] == bottlenecks.TYPE:
        with naming_failures(where):
            return bottlenecks.load(model, folder, config)
    with naming_failures(where):
        prompts = config["peft_type"] in _PROMPTS
        adapted = peft.PeftModel.from_pretrained(
            model, folder, torch_device="cpu", is_trainable=trainable and not prompts
        )
        with safe_open(folder / "adapter_model.safetensors", "pt") as stored:
            found = set(stored.keys())
        wanted = set(peft.get_peft_model_state_dict(adapted, save_embedding_layers=False))
        allowed = wanted
        if found - wanted:  # embeddings trained beside the adapter are saved with it
            allowed = set(peft.get_peft_model_state_dict(adapted, save_embedding_layers=True))
    check_nothing(wanted - found, "adapter tensors missing", where)
    check_nothing(found - allowed, "adapter tensors the model has no place for", where)
    if trainable and prompts:
        _train_prompts(adapted)
    return adapted


def _train_prompts(adapted: Any) -> None:
    """Ask for gradients of virtual tokens and of a head beside them, which peft refuses to do.

    Their network, where one gave them while they were learned, is not saved: they are now
    learned themselves.
    """
    for name, parameter in adapted.named_parameters():
        learned = name.startswith("prompt_encoder.") and name.endswith(".embedding.weight")
        parameter.requires_grad_(learned or ".modules_to_save." in name)


def _check_adapter_config(config: dict[str, Any], task: str, where: str) -> None:
    """Refuse settings that peft would drop, or that make it import code by name."""
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    if config.get("task_type") not in (None, task):
        raise UserError(f"is an adapter for {config['task_type']}", where=where, code=Exit.MISMATCH)
    name: Any = config.get("peft_type")
    if name == bottlenecks.TYPE:
        return
    kind = PEFT_TYPE_TO_CONFIG_MAPPING.get(name)
    if kind is None:
        raise UserError(f"peft knows no {name!r}", where=where, code=Exit.MISMATCH)
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(key for key, value in config.items() if key not in known and value)
    if unknown or config.get("megatron_config"):
        raise UserError(
            f"uses {', '.join(unknown or ['megatron_config'])}, which the installed peft lacks",
            where=where,
            code=Exit.MISMATCH,
        )
