"""Averages of the parameters over the steps, evaluated and saved instead of the last ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from instructune.training.optimizers import AVERAGE, Optimizer

if TYPE_CHECKING:
    from instructune.configs import TrainConfig
    from instructune.training.trainer import State

_COUNT = f"{AVERAGE}s"  # how many steps are in them


class Averages:
    """None by default; else of the float32 masters of an optimizer, from step `begin` + 1 on.

    `ema` is the share of the average that stays at a step, which begins as the parameters were
    before the first one (Polyak & Juditsky 1992, SIAM J. Control Optim. 30(4); exponential);
    `swa` is the share of the run after which all steps count alike (Izmailov et al. 2018,
    arXiv 1803.05407).
    """

    def __init__(self, config: TrainConfig, optimizer: Optimizer, steps: int) -> None:
        self.optimizer, self.decay = optimizer, config.ema
        self.begin = 0 if config.swa is None else int(config.swa * steps)
        self.count = 0
        self.tensors: list[torch.Tensor] = []
        if config.ema is not None or config.swa is not None:
            self.tensors = [master.detach().clone() for master in optimizer.masters]

    @torch.no_grad()
    def updated(self, state: State) -> None:
        """Take the parameters of a step in."""
        if not self.tensors or state.step <= self.begin:
            self.count = 0
            return
        self.count += 1
        new = 1 / self.count if self.decay is None else 1 - self.decay
        for average, master in zip(self.tensors, self.optimizer.masters, strict=True):
            average.lerp_(master, new)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model computes with the averages, if there are any yet; then as before."""
        if not self.count:
            yield
            return
        before = [master.detach().clone() for master in self.optimizer.masters]
        self._set(self.tensors)
        try:
            yield
        finally:
            self._set(before)

    def take(self) -> None:
        """Put the averages in the place of the parameters."""
        if self.count:
            self._set(self.tensors)

    @torch.no_grad()
    def _set(self, values: list[torch.Tensor]) -> None:
        for master, value in zip(self.optimizer.masters, values, strict=True):
            master.copy_(value)
        self.optimizer.write_back()

    def saved(self) -> dict[str, torch.Tensor]:
        """The averages by name, for a checkpoint."""
        if not self.tensors:
            return {}
        named = zip(self.optimizer.names, self.tensors, strict=True)
        found = {f"{AVERAGE}.{name}": average for name, average in named}
        return found | {_COUNT: torch.tensor(self.count)}

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take what `saved` gave."""
        if not self.tensors:
            return
        self.count = int(tensors[_COUNT])
        for name, average in zip(self.optimizer.names, self.tensors, strict=True):
            average.copy_(tensors[f"{AVERAGE}.{name}"])
