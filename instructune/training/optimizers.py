"""Gradients in, updated parameters out: any optimizer on float32 masters, schedules, clipping."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from types import ModuleType
from typing import Any

import torch

from instructune.errors import Exit, UserError
from instructune.optimizers import optimizers
from instructune.registry import spelled
from instructune.schedules import schedules

AVERAGE = "average"  # what tensors of a checkpoint are called that are not the optimizer's


def learning_rate(step: int, steps: int, peak: float, warmup: int, schedule: str) -> float:
    """The rate of step `step` (from 0): linear warm-up to `peak`, then as the schedule has it.

    `schedule` is a plug-in as named on the command line.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    plug_in, options = _schedule(schedule)
    return peak * float(plug_in.share(step - warmup, steps - warmup, options))


@cache
def _schedule(spec: str) -> tuple[ModuleType, Any]:
    """A schedule and its options, taken apart once, not at each step."""
    _, plug_in, options = schedules.configure(spec)
    return plug_in, options


class Optimizer:
    """An optimizer that keeps float32 masters: `rule` is the plug-in's, on them.

    Trainable parameters in another dtype get a float32 copy: gradients are added up in it, the
    update happens in it, and the parameter is its rounding. Weight decay spares vectors (biases
    and norms) and embeddings. `shares` has, by names of parameters, what share of the rate is
    theirs where it is not all.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        *,
        weight_decay: float,
        optimizer: str = "adamw",
        shares: Mapping[str, float] | None = None,
    ) -> None:
        embeddings = {
            id(p)
            for module in model.modules()
            if isinstance(module, torch.nn.Embedding)
            for p in module.parameters()
        }
        self.names: list[str] = []
        self._pairs: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
        alike: defaultdict[tuple[float, float], list[torch.Tensor]] = defaultdict(list)
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            master = self._master(parameter)
            self.names.append(name)
            self._pairs.append((parameter, master))
            plain = parameter.ndim >= 2 and id(parameter) not in embeddings
            alike[(shares or {}).get(name, 1.0), weight_decay * plain].append(master)
        groups: list[dict[str, Any]] = [
            {"params": alike[share, decay], "weight_decay": decay, "share": share}
            for share, decay in sorted(alike, reverse=True)
        ]
        name, plug_in, options = optimizers.configure(optimizer)
        self.spelled = spelled(name, asdict(options))  # with all options
        self.rule: torch.optim.Optimizer = plug_in.build(groups, options)

    @property
    def groups(self) -> list[dict[str, float]]:
        """What is alike among the parameters: share of the rate, weight decay, and how many."""
        return [
            {
                "rate_share": group["share"],
                "weight_decay": group["weight_decay"],
                "parameters": sum(p.numel() for p in group["params"]),
            }
            for group in self.rule.param_groups
        ]

    @property
    def masters(self) -> list[torch.Tensor]:
        """The float32 parameters, in the order of `names`."""
        return [master for _, master in self._pairs]

    def _master(self, parameter: torch.nn.Parameter) -> torch.Tensor:
        if parameter.dtype == torch.float32:
            return parameter
        master = parameter.detach().float().requires_grad_(True)

        def add_up(p: torch.Tensor) -> None:
            grad = p.grad.float()  # type: ignore[union-attr]
            master.grad = grad if master.grad is None else master.grad.add_(grad)
            p.grad = None

        parameter.register_post_accumulate_grad_hook(add_up)
        return master

    def step(self, rate: float) -> None:
        """Update with the gradients at hand."""
        for group in self.rule.param_groups:
            group["lr"] = rate * group["share"]
        self.rule.step()
        self.write_back()

    def forget(self) -> None:
        """Let go of the gradients."""
        self.rule.zero_grad(set_to_none=True)

    def write_back(self) -> None:
        """Round the masters into the parameters the model computes with."""
        with torch.no_grad():
            for parameter, master in self._pairs:
                if parameter is not master:
                    parameter.copy_(master)

    def promote(self, model: torch.nn.Module, dtype: torch.dtype) -> None:
        """Bring the whole model to `dtype`, from the masters where it has them."""
        model.to(dtype)
        for parameter, master in self._pairs:
            if parameter is not master:
                parameter.data = master.detach().to(dtype)

    def clip(self, most: float) -> float:
        """Scale the gradients to a norm of at most `most`; returns the norm before."""
        return float(torch.nn.utils.clip_grad_norm_(self.masters, most))

    def tensors(self) -> dict[str, torch.Tensor]:
        """Masters, and what the rule remembers, by name, for a checkpoint."""
        found: dict[str, torch.Tensor] = {}
        places: set[int] = set()
        for name, master in zip(self.names, self.masters, strict=True):
            found[f"master.{name}"] = master.detach()
            for key, value in self.rule.state.get(master, {}).items():
                if value is None:  # not needed with these options
                    continue
                tensor = value.detach() if torch.is_tensor(value) else torch.tensor(value)
                if tensor.data_ptr() in places:  # a table that is shared
                    tensor = tensor.clone()
                places.add(tensor.data_ptr())
                found[f"{key}.{name}"] = tensor
        return found

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take what `tensors` gave from a checkpoint; raises 78 where they are of another model."""
        wanted = {f"master.{n}": m.shape for n, m in zip(self.names, self.masters, strict=True)}
        found = {n: t.shape for n, t in tensors.items() if n.startswith("master.")}
        if differing := sorted(n for n in wanted | found if wanted.get(n) != found.get(n)):
            raise UserError(
                f"the checkpoint is of another model: {', '.join(differing[:3])}",
                hint="was another version of transformers or peft used before?",
                code=Exit.MISMATCH,
            )
        with torch.no_grad():
            for name, master in zip(self.names, self.masters, strict=True):
                master.copy_(tensors[f"master.{name}"])
        self.rule.state.clear()
        by_name = dict(zip(self.names, self.masters, strict=True))
        for full, tensor in tensors.items():
            key, _, name = full.partition(".")
            if name in by_name and key not in ("master", AVERAGE):
                whole = tensor.ndim == 0 and not tensor.is_floating_point()
                self.rule.state[by_name[name]][key] = tensor.item() if whole else tensor.clone()
        self.write_back()


def count(parameters: Iterable[torch.nn.Parameter]) -> tuple[int, int]:
    """Trainable and total number of values."""
    listed = [(p, _size(p)) for p in parameters]
    return sum(n for p, n in listed if p.requires_grad), sum(n for _, n in listed)


def _size(parameter: torch.nn.Parameter) -> int:
    """The number of values, also of those that were packed by twos into bytes."""
    packed = getattr(parameter, "quant_state", None)
    return math.prod(packed.shape) if packed else parameter.numel()
