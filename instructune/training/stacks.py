"""The stacks of equal blocks that a model is made of."""

from __future__ import annotations

from typing import Any


def stacks(model: Any) -> dict[str, Any]:
    """The outermost lists of modules by name: one of a decoder or an encoder, else one of each."""
    from torch.nn import ModuleList

    found: dict[str, Any] = {}
    for name, module in model.named_modules():
        inside = any(name.startswith(f"{outer}.") for outer in found)
        if isinstance(module, ModuleList) and len(module) and not inside:
            found[name] = module
    return found
