"""The training loop: model, data, loss and optimizer in; the state after the last step out."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any

import torch

from instructune.errors import Exit, UserError
from instructune.training.batches import Batch, TokenData, step_rows
from instructune.training.optimizers import Optimizer, learning_rate
from instructune.training.plan import Plan
from instructune.training.unpadding import is_unpadded

Loss = Callable[[Batch], torch.Tensor]
Event = dict[str, Any]
_EVALUATION_TOKENS = 2048  # padded ones at once; without gradients that takes little memory
_TOGETHER = 64  # rows at once where the loss of a row depends on those beside it
_SHOWN = 20  # row ids in a message


@dataclass
class State:
    """How far the loop is; a checkpoint holds it beside parameters, moments and RNG."""

    step: int = 0
    tokens: int = 0
    best_loss: float | None = None
    best_step: int | None = None
    evaluated_step: int | None = None
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
    gathered: Callable[[], None] = lambda: None
    """before each update, when all its gradients are there and none was clipped"""
    updated: Callable[[State], None] = lambda state: None
    """after each update, while its gradients are still there; `state.step` counts it"""
    evaluating: Callable[[], AbstractContextManager[None]] = nullcontext
    """around each evaluation"""


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
    the rows are cut into micro-batches. A stop is heeded between two steps and within an
    evaluation, which is then done anew from the checkpoint.
    """
    model.train()
    rows_of_steps = step_rows(data, plan.batch_size, plan.seed, state.step)
    while True:
        evaluates = eval_data is not None and _evaluation_is_due(plan, state)
        if evaluates and not _evaluate(model, eval_data, loss, plan, state, hooks):
            break
        if _checkpoint_is_due(plan, state):
            hooks.checkpoint(state)
        if _is_over(plan, state):
            return True
        if hooks.stop_requested():
            break
        event = _step(model, data, next(rows_of_steps), loss, optimizer, plan, state, hooks)
        hooks.updated(state)
        optimizer.forget()
        evaluates = eval_data is not None and _evaluation_is_due(plan, state)
        if evaluates or state.step in (1, plan.steps) or state.step % plan.log_every == 0:
            hooks.event(event)
    hooks.checkpoint(state)
    return False


def _is_over(plan: Plan, state: State) -> bool:
    return state.step >= plan.steps or state.stopped_early


def _evaluation_is_due(plan: Plan, state: State) -> bool:
    at_place = state.step == plan.steps or state.step % plan.eval_every == 0
    wanted = at_place if state.step else plan.eval_first
    return wanted and state.evaluated_step != state.step


def _checkpoint_is_due(plan: Plan, state: State) -> bool:
    if state.step == 0:
        return False
    at_place = state.step % plan.checkpoint_every == 0 or state.step % plan.steps_per_epoch == 0
    return at_place or _is_over(plan, state) or state.best_step == state.step


def _step(
    model: torch.nn.Module,
    data: TokenData,
    rows: list[int],
    loss: Loss,
    optimizer: Optimizer,
    plan: Plan,
    state: State,
    hooks: Hooks,
) -> Event:
    batches = [
        data.batch(group, plan.pad_id, draw=state.step + 1).to(_device(model))
        for group in data.groups(rows, plan.micro_batch_tokens, len(rows), is_unpadded(model))
    ]
    units = math.fsum(batch.units for batch in batches)
    if not units:
        raise UserError(
            f"step {state.step + 1} has nothing to learn; {_named(data, rows)}",
            hint="leave out rows that hold no answer, or whose weight is 0",
        )
    sums = [_add_gradients(loss(batch), units) for batch in batches]
    mean = math.fsum(sums) / units
    rate = learning_rate(
        state.step, plan.steps, plan.learning_rate, plan.warmup_steps, plan.schedule
    )
    hooks.gathered()
    norm = optimizer.clip(plan.max_grad_norm)
    if not math.isfinite(mean):
        suspects = [b.rows for b, one in zip(batches, sums, strict=True) if not math.isfinite(one)]
        raise _non_finite(f"loss {mean}", state, _named(data, sum(suspects, []) or rows))
    if not math.isfinite(norm):
        raise _non_finite(f"gradient norm {norm}", state, _named(data, rows))
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


def _device(model: torch.nn.Module) -> torch.device:
    return next(model.parameters()).device


def _add_gradients(total: torch.Tensor, units: float) -> float:
    (total / units).backward()
    return float(total.detach())


def _named(data: TokenData, rows: list[int]) -> str:
    """The rows by their ids, the first of many."""
    ids = list(dict.fromkeys(data.records[row] for row in sorted(rows)))
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{'rows' if len(ids) > 1 else 'row'} {', '.join(ids[:_SHOWN])}{more}"


def _non_finite(what: str, state: State, rows: str) -> UserError:
    return UserError(
        f"training became non-finite at step {state.step + 1}: {what}; {rows}",
        hint="lower --learning-rate, or look at those rows; no parameter was changed by this step",
        code=Exit.NON_FINITE,
    )


def _evaluate(
    model: torch.nn.Module,
    data: TokenData | None,
    loss: Loss,
    plan: Plan,
    state: State,
    hooks: Hooks,
) -> bool:
    """Note in `state` how good the model is; False where a stop came before that was known."""
    assert data is not None
    with hooks.evaluating():
        value = evaluate(model, data, loss, plan.pad_id, hooks.stop_requested)
    if value is None:
        return False
    if not math.isfinite(value):
        raise UserError(
            f"training became non-finite: evaluation loss {value} after step {state.step}",
            hint="lower --learning-rate",
            code=Exit.NON_FINITE,
        )
    improved = state.step > 0 and (state.best_loss is None or value < state.best_loss)
    if improved:
        state.best_loss, state.best_step, state.evaluations_since_best = value, state.step, 0
    elif state.step:
        state.evaluations_since_best += 1
        patience = plan.early_stopping
        state.stopped_early = patience is not None and state.evaluations_since_best >= patience
    state.evaluated_step = state.step
    hooks.event({"event": "eval", "step": state.step, "eval_loss": value, "best": improved})
    return True


@torch.no_grad()
def evaluate(
    model: torch.nn.Module,
    data: TokenData,
    loss: Loss,
    pad_id: int,
    stop_requested: Callable[[], bool] = lambda: False,
) -> float | None:
    """Mean loss over all learned tokens of `data`; None if it was asked to stop on the way.

    The batches are always the same ones, whatever the training's are: sums of other batches
    differ in the last digits.
    """
    was_training = model.training
    model.eval()
    sums, units = [], []
    try:
        for group in data.groups(
            range(len(data)), _EVALUATION_TOKENS, _TOGETHER, is_unpadded(model)
        ):
            if stop_requested():
                return None
            batch = data.batch(group, pad_id).to(_device(model))
            sums.append(float(loss(batch)))
            units.append(batch.units)
    finally:
        model.train(was_training)
    return math.fsum(sums) / math.fsum(units)
