"""What the tests of retentions share: a linear model of two inputs, and rows with their classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from instructune.retentions import retentions
from instructune.training.losses import cross_entropy
from instructune.training.optimizers import Optimizer
from instructune.training.retaining import Origin


class Rows:
    """Inputs (N, 2) and classes (N,), as batches."""

    def __init__(self, inputs: torch.Tensor, classes: list[int]) -> None:
        self.inputs, self.classes = inputs, torch.tensor(classes)

    def __len__(self) -> int:
        return len(self.classes)

    def batch(self, rows: list[int], pad_id: int, draw: int = 0) -> Any:
        """The rows, each of weight 1."""
        found = SimpleNamespace(
            inputs=self.inputs[rows], targets=self.classes[rows], weights=torch.ones(len(rows))
        )
        found.to = lambda device: found
        return found


class Classes:
    """The objective: cross-entropy of what the model gives."""

    whole = False

    def scores(self, model: Any, batch: Any) -> torch.Tensor:
        """(N, C)."""
        found: torch.Tensor = model(batch.inputs)
        return found

    def loss(self, model: Any) -> Any:
        """A sum over the rows."""
        return lambda batch: cross_entropy(self.scores(model, batch), batch.targets, batch.weights)


def linear(classes: int = 2) -> torch.nn.Linear:
    """A model whose first weights are known."""
    model = torch.nn.Linear(2, classes)
    with torch.no_grad():
        model.weight.copy_(torch.arange(2.0 * classes).reshape(classes, 2) / 4)
        model.bias.zero_()
    return model


def held(spec: str, model: torch.nn.Module, **given: Any) -> tuple[Any, Optimizer]:
    """A retention of the model as it is, and the optimizer that it looks at."""
    name, plug_in, options = retentions.configure(spec)
    optimizer = Optimizer(model, weight_decay=0.0)
    masters = dict(zip(optimizer.names, optimizer.masters, strict=True))
    parts = {"masters": masters, "objective": Classes(), "pad_id": 0} | given
    return plug_in.retain(Origin(model, optimizer, **parts), options), optimizer


def moved(model: torch.nn.Module, way: float) -> None:
    """Each parameter goes the same way, and has a gradient of 1."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += way
            parameter.grad = torch.ones_like(parameter)
