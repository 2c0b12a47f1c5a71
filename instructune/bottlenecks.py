"""Bottleneck adapters: small networks behind parts of a model, and their own file format.

peft has none, so they are kept as peft keeps its adapters, but under a type of their own:
`adapter_config.json` names the places, `adapter_model.safetensors` holds the tensors by the names
that they have in the model, a classifier's head among them. Only this package reads them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.nn import functional

from instructune.errors import Exit, UserError
from instructune.jsonl import pretty

TYPE = "INSTRUCTUNE_BOTTLENECK"
NAME = "bottleneck"
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "tanh": torch.tanh,
}


@dataclass(frozen=True)
class Plan:
    """Where the networks are, how wide and of which kind; `heads` are trained beside them."""

    places: Sequence[str]
    width: int
    activation: str
    heads: Sequence[str] = ()
    task_type: str | None = None


class Bottleneck(torch.nn.Module):
    """`x + up(f(down(x)))` in float32, which begins as `x`; (..., H) to the same."""

    def __init__(self, size: int, width: int, activation: str) -> None:
        super().__init__()
        self.down = torch.nn.Linear(size, width)
        self.up = torch.nn.Linear(width, size)
        self.activation = ACTIVATIONS[activation]
        torch.nn.init.zeros_(self.up.weight)
        torch.nn.init.zeros_(self.up.bias)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """The states and what is added to them, in their dtype."""
        inner = self.activation(self.down(states.to(self.down.weight.dtype)))
        found: torch.Tensor = states + self.up(inner).to(states.dtype)
        return found


def install(model: Any, plan: Plan) -> None:
    """Put networks behind the modules of these names, and train them and the heads alone.

    The model's own tensors keep their names; a network's begin with that of its module.
    """
    model.requires_grad_(False)
    modules = dict(model.named_modules())
    for place in plan.places:
        network = Bottleneck(model.config.hidden_size, plan.width, plan.activation)
        modules[place].add_module(NAME, network.to(model.device))
        modules[place].register_forward_hook(_passed_on)
    for head in plan.heads:
        modules[head].requires_grad_(True)
    model.bottlenecks = plan


def _passed_on(module: Any, inputs: Any, output: Any) -> Any:
    """A module's output through its network; of several outputs the first."""
    network = getattr(module, NAME)
    if isinstance(output, torch.Tensor):
        return network(output)
    return (network(output[0]), *output[1:])


def _belongs(name: str, plan: Plan) -> bool:
    networks = (f"{place}.{NAME}." for place in plan.places)
    return name.startswith((*networks, *(f"{head}." for head in plan.heads)))


def save_config(
    model: Any, folder: Path, tensors: dict[str, torch.Tensor], base: str
) -> dict[str, torch.Tensor]:
    """Write adapter_config.json; of the model's `tensors`, those that belong to the adapter."""
    plan = model.bottlenecks
    document = {"peft_type": TYPE, "base_model_name_or_path": base, **asdict(plan)}
    (folder / "adapter_config.json").write_bytes(pretty(document))
    return {name: tensor for name, tensor in tensors.items() if _belongs(name, plan)}


def load(model: Any, folder: Path, config: dict[str, Any]) -> Any:
    """The model with the adapter of a folder; raises UserError (78) where they do not fit."""
    known = {field.name for field in fields(Plan)}
    try:
        plan = Plan(**{name: value for name, value in config.items() if name in known})
        install(model, plan)
    except (TypeError, KeyError) as error:
        reason = f"does not fit the model: {json.dumps(str(error))}"
        raise UserError(reason, where=str(folder), code=Exit.MISMATCH) from None
    tensors = load_file(folder / "adapter_model.safetensors")
    wanted = {n: t for n, t in model.state_dict().items() if _belongs(n, plan)}
    differing = sorted(
        n for n in wanted | tensors if _shape(wanted.get(n)) != _shape(tensors.get(n))
    )
    if differing:
        reason = f"its tensors do not fit the model: {', '.join(differing[:3])}"
        raise UserError(reason, where=str(folder), code=Exit.MISMATCH)
    model.load_state_dict(tensors, strict=False)
    return model


def _shape(tensor: torch.Tensor | None) -> torch.Size | None:
    return None if tensor is None else tensor.shape
