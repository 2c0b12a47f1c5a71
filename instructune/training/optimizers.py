"""Gradients in, updated parameters out: AdamW on float32 masters, schedules, clipping."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch

from instructune.errors import Exit, UserError


def learning_rate(step: int, steps: int, peak: float, warmup: int, schedule: str) -> float:
    """The rate of step `step` (from 0): linear warm-up to `peak`, then the schedule down to 0.

    `cosine` as in Loshchilov & Hutter 2016 (arXiv 1608.03983), without restarts.
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    if schedule == "linear":
        return peak * max(0.0, 1 - done)
    if schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return peak


class Optimizer:
    """AdamW (Loshchilov & Hutter 2017, arXiv 1711.05101) that keeps float32 masters.

    Trainable parameters in another dtype get a float32 copy: gradients are added up in it, the
    update happens in it, and the parameter is its rounding. Weight decay spares vectors (biases
    and norms) and embeddings.
    """

    def __init__(self, model: torch.nn.Module, *, weight_decay: float) -> None:
        embeddings = {
            id(p)
            for module in model.modules()
            if isinstance(module, torch.nn.Embedding)
            for p in module.parameters()
        }
        self.names: list[str] = []
        self._pairs: list[tuple[torch.nn.Parameter, torch.Tensor]] = []
        decayed: list[torch.Tensor] = []
        spared: list[torch.Tensor] = []
        for name, parameter in model.named_parameters():
            if not parameter.requires_grad:
                continue
            master = self._master(parameter)
            self.names.append(name)
            self._pairs.append((parameter, master))
            plain = parameter.ndim >= 2 and id(parameter) not in embeddings
            (decayed if plain else spared).append(master)
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": weight_decay},
            {"params": spared, "weight_decay": 0.0},
        ]
        self.adamw = torch.optim.AdamW([g for g in groups if g["params"]], fused=True)

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
        for group in self.adamw.param_groups:
            group["lr"] = rate
        self.adamw.step()
        self.write_back()

    def forget(self) -> None:
        """Let go of the gradients."""
        self.adamw.zero_grad(set_to_none=True)

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
        """Masters and moments by name, for a checkpoint."""
        found = {}
        for name, master in zip(self.names, self.masters, strict=True):
            found[f"master.{name}"] = master.detach()
            for key, value in self.adamw.state.get(master, {}).items():
                found[f"{key}.{name}"] = value.detach()
        return found

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take masters and moments from a checkpoint; raises 78 where they are of another model."""
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
                keys = [k for k in ("step", "exp_avg", "exp_avg_sq") if f"{k}.{name}" in tensors]
                if keys:
                    self.adamw.state[master] = {k: tensors[f"{k}.{name}"].clone() for k in keys}
        self.write_back()


def count(parameters: Iterable[torch.nn.Parameter]) -> tuple[int, int]:
    """Trainable and total number of values."""
    listed = [(p, _size(p)) for p in parameters]
    return sum(n for p, n in listed if p.requires_grad), sum(n for _, n in listed)


def _size(parameter: torch.nn.Parameter) -> int:
    """The number of values, also of those that were packed by twos into bytes."""
    packed = getattr(parameter, "quant_state", None)
    return math.prod(packed.shape) if packed else parameter.numel()
