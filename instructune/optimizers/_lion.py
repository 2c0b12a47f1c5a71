"""Lion (Chen et al. 2023, arXiv 2302.06675) for torch."""

from __future__ import annotations

from typing import Any

import torch


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of the paper; weight decay is decoupled."""

    def __init__(self, groups: list[dict[str, Any]], beta1: float, beta2: float) -> None:
        super().__init__(groups, {"lr": 0.0, "beta1": beta1, "beta2": beta2, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update all parameters that have a gradient."""
        for group in self.param_groups:
            rate, beta1, beta2 = group["lr"], group["beta1"], group["beta2"]
            for parameter in group["params"]:
                gradient, state = parameter.grad, self.state[parameter]
                if gradient is None:
                    continue
                if not state:
                    state["exp_avg"] = torch.zeros_like(parameter)
                memory = state["exp_avg"]
                direction = torch.lerp(gradient, memory, beta1).sign_()
                parameter.mul_(1 - rate * group["weight_decay"]).sub_(direction, alpha=rate)
                memory.lerp_(gradient, 1 - beta2)
