"""A model with an adapter in, the model whose weights hold what the adapter did out."""

from __future__ import annotations

from typing import Any

from instructune.errors import Exit, UserError


def merged(model: Any, where: str) -> Any:
    """The model without an adapter that gives what it gave with it.

    In float32 alone: an update may be less than a step between two bfloat16 numbers. Raises
    UserError (78) where the adapter is no change of weights.
    """
    from peft.utils import ModulesToSaveWrapper

    if not hasattr(model.base_model, "merge_and_unload"):
        raise UserError(
            "its adapter is no change of weights, so nothing can be trained on top of it",
            where=where,
            hint="--init-from trains the adapter itself further",
            code=Exit.MISMATCH,
        )
    # peft takes every module that it unwraps for a layer with a weight, which a pooler is not
    wrappers = [(n, m) for n, m in model.named_modules() if isinstance(m, ModulesToSaveWrapper)]
    for name, wrapper in wrappers:
        parent, _, last = name.rpartition(".")
        trained = wrapper.modules_to_save[wrapper.active_adapters[0]]
        setattr(model.get_submodule(parent), last, trained)
    return model.merge_and_unload(safe_merge=True)
