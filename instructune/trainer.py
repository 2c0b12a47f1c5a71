"""The training loop: model, data, loss and optimizer in; the state after the last step out."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from instructune.batches import Batch, TokenData, micro_batches, step_rows
from instructune.errors import Exit, UserError
from instructune.optimizers import Optimizer, learning_rate
from instructune.plan import Plan

Loss = Callable[[Batch], torch.Tensor]
Event = dict[str, Any]


@dataclass
class State:
    """How far the loop is; a checkpoint holds it beside parameters, moments and RNG."""

    step: int = 0
    tokens: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    evaluations_since_best: int = 0
    stopped_early: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The state as JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Hooks:
    """What the loop calls; it knows nothing of files, terminals or signals itself."""

    event: Callable[[Event], None]
    checkpoint: Callable[[State], None]
    stop_requested: Callable[[], bool]


def train(
    model: torch.nn.Module,
    data: TokenData,
    eval_data: TokenData | None,
    loss: Loss,
    optimizer: Optimizer,
    plan: Plan,
    state: State,
    hooks: Hooks,
) -> bool:
    """Run from `state.step` on; False if it was asked to stop before the end.

    The loss of a step is the sum over all its learned tokens divided by their number, however
    the rows are cut into micro-batches.
    """
    model.train()
    rows_of_steps = step_rows(data, plan.batch_size, plan.seed, state.step)
    while state.step < plan.steps and not state.stopped_early:
        if hooks.stop_requested():
            hooks.checkpoint(state)
            return False
        event = _step(model, data, next(rows_of_steps), loss, optimizer, plan, state)
        if state.step % plan.log_every == 0 or state.step == plan.steps:
            hooks.event(event)
        improved = False
        if eval_data is not None and (state.step % plan.eval_every == 0 or _is_last(plan, state)):
            improved = _evaluate(model, eval_data, loss, plan, state, hooks)
        if improved or _is_last(plan, state) or _at_checkpoint(plan, state):
            hooks.checkpoint(state)
    return True


def _is_last(plan: Plan, state: State) -> bool:
    return state.step == plan.steps or state.stopped_early


def _at_checkpoint(plan: Plan, state: State) -> bool:
    return state.step % plan.checkpoint_every == 0 or state.step % plan.steps_per_epoch == 0


def _step(
    model: torch.nn.Module,
    data: TokenData,
    rows: list[int],
    loss: Loss,
    optimizer: Optimizer,
    plan: Plan,
    state: State,
) -> Event:
    batches = [
        data.batch(group, plan.pad_id)
        for group in micro_batches(data, rows, plan.micro_batch_tokens)
    ]
    units = math.fsum(batch.units for batch in batches)
    sums = []
    for batch in batches:
        total = loss(batch)
        (total / units).backward()
        sums.append(float(total.detach()))
    mean = math.fsum(sums) / units
    rate = learning_rate(
        state.step, plan.steps, plan.learning_rate, plan.warmup_steps, plan.schedule
    )
    norm = optimizer.clip(plan.max_grad_norm)
    if not (math.isfinite(mean) and math.isfinite(norm)):
        raise _non_finite(mean, norm, state.step + 1, [data.records[r] for r in rows])
    optimizer.step(rate)
    state.step += 1
    tokens = int(data.lengths[rows].sum())
    state.tokens += tokens
    return {
        "event": "step",
        "step": state.step,
        "epoch": round(state.step / plan.steps_per_epoch, 4),
        "loss": mean,
        "grad_norm": norm,
        "learning_rate": rate,
        "tokens": tokens,
    }


def _non_finite(mean: float, norm: float, step: int, records: list[str]) -> UserError:
    what = f"loss {mean}" if not math.isfinite(mean) else f"gradient norm {norm}"
    return UserError(
        f"training became non-finite at step {step}: {what}; rows {', '.join(records)}",
        hint="lower --learning-rate, or look at those rows; no parameter was changed by this step",
        code=Exit.NON_FINITE,
    )


def _evaluate(
    model: torch.nn.Module,
    data: TokenData,
    loss: Loss,
    plan: Plan,
    state: State,
    hooks: Hooks,
) -> bool:
    value = evaluate(model, data, loss, plan.micro_batch_tokens, plan.pad_id)
    improved = state.best_loss is None or value < state.best_loss
    if improved:
        state.best_loss, state.best_step, state.evaluations_since_best = value, state.step, 0
    else:
        state.evaluations_since_best += 1
        patience = plan.early_stopping
        state.stopped_early = patience is not None and state.evaluations_since_best >= patience
    hooks.event({"event": "eval", "step": state.step, "eval_loss": value, "best": improved})
    return improved


@torch.no_grad()
def evaluate(
    model: torch.nn.Module, data: TokenData, loss: Loss, micro_batch_tokens: int, pad_id: int
) -> float:
    """Mean loss over all learned tokens of `data`, whatever the batches."""
    was_training = model.training
    model.eval()
    sums, units = [], []
    for group in micro_batches(data, range(len(data)), micro_batch_tokens):
        batch = data.batch(group, pad_id)
        sums.append(float(loss(batch)))
        units.append(batch.units)
    model.train(was_training)
    return math.fsum(sums) / math.fsum(units)
