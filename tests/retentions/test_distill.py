"""distill: the divergence from what the model gave before, by torch's own."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from instructune.errors import UserError
from tests.retained import Rows, held, linear, moved

ROWS = Rows(torch.tensor([[1.0, 0.0], [0.0, 2.0], [1.0, -1.0]]), [0, 1, 1])


def test_it_pulls_towards_the_scores_before() -> None:
    model = linear(3)
    found, _ = held("distill:weight=0.7,temperature=2", model)
    batch = ROWS.batch([0, 1, 2], 0)
    batch.weights = torch.tensor([1.0, 2.0, 0.5])
    aims = model(ROWS.inputs).detach()
    assert found.pull(model(ROWS.inputs), batch).item() == pytest.approx(0, abs=1e-6)
    with torch.no_grad():
        model.weight[0] += 1
    scores = model(ROWS.inputs)
    p, q = (aims / 2).softmax(-1), (scores / 2).log_softmax(-1)
    wanted = functional.kl_div(q, p, reduction="none").sum(-1) @ batch.weights
    value = found.pull(scores, batch)
    assert value.item() == pytest.approx(0.7 * 4 * wanted.item(), rel=1e-5)
    value.backward()
    assert all(parameter.grad is None for parameter in found.teacher.parameters())


def test_only_units_with_a_weight_have_scores() -> None:
    model = linear()
    found, _ = held("distill", model)
    batch = ROWS.batch([0, 1, 2], 0)
    batch.weights = torch.tensor([1.0, 0.0, 1.0])
    found.scores = lambda net, rows: net(rows.inputs[rows.weights > 0])
    scores = model(ROWS.inputs[[0, 2]]).detach()
    assert found.pull(scores, batch).item() == pytest.approx(0, abs=1e-6)


def test_only_the_old_outputs_of_a_head_that_grew() -> None:
    model = linear(3)
    found, _ = held("distill", model, classes=2)
    batch = ROWS.batch([0, 1, 2], 0)
    scores = model(ROWS.inputs).detach()
    scores[:, 2] += 5
    assert found.pull(scores, batch).item() == pytest.approx(0, abs=1e-6)
    scores[:, 1] += 5
    assert found.pull(scores, batch).item() > 0.1


def test_the_teacher_stays_as_it_was() -> None:
    model = torch.nn.Sequential(linear(), torch.nn.Dropout(0.5)).train()
    found, _ = held("distill", model)
    moved(model, 1.0)
    assert found.teacher[0].weight.tolist() == [[0, 0.25], [0.5, 0.75]]
    assert not found.teacher.training


def test_refused() -> None:
    with pytest.raises(UserError, match="the head is drawn anew"):
        held("distill", linear(), classes=0)
    with pytest.raises(UserError, match="temperature must be above 0"):
        held("distill:temperature=0", linear())
