"""The loop: the same loss and gradients however rows are cut, and what it tells and heeds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM

from instructune.errors import Exit, UserError
from instructune.training import trainer
from instructune.training.batches import Batch, TokenData, step_rows
from instructune.training.heads import supervised_loss
from instructune.training.optimizers import Optimizer, learning_rate
from instructune.training.plan import Plan
from instructune.training.trainer import Hooks, State, evaluate, train
from tests.tuning import token_data

PLAN = Plan(
    steps=3,
    batch_size=8,
    micro_batch_tokens=10**6,
    learning_rate=0.01,
    warmup_steps=0,
    schedule="cosine",
    max_grad_norm=1e9,
    seed=0,
    eval_every=100,
    checkpoint_every=100,
    steps_per_epoch=100,
    log_every=1,
    eval_first=False,
    early_stopping=None,
    pad_id=0,
)


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def llama() -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=260,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        initializer_range=0.1,
    )
    return LlamaForCausalLM(config)


class Watched(Optimizer):
    """Keeps the gradients of each step, and forbids the steps after `most`."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__(model, weight_decay=0.0)
        self.gradients: list[list[torch.Tensor]] = []
        self.steps = 0

    def clip(self, most: float) -> float:
        self.gradients.append([m.grad.clone() for m in self.masters if m.grad is not None])
        return super().clip(most)

    def step(self, rate: float) -> None:
        self.steps += 1
        super().step(rate)


class Recorder:
    """Hooks that remember."""

    def __init__(self, stop: Callable[[], bool] = lambda: False) -> None:
        self.events: list[dict[str, Any]] = []
        self.checkpoints: list[State] = []
        self.done: bool | None = None
        self.hooks = Hooks(
            self.events.append,
            lambda state: self.checkpoints.append(dataclasses.replace(state)),
            stop,
        )


def run(
    data: TokenData,
    *,
    eval_data: TokenData | None = None,
    model: Any = None,
    loss: Any = None,
    state: State | None = None,
    recorder: Recorder | None = None,
    **plan: Any,
) -> tuple[Recorder, Watched, State]:
    model = model or llama()
    optimizer, recorder = Watched(model), recorder or Recorder()
    state = state or State()
    recorder.done = train(
        model,
        data,
        eval_data,
        loss or supervised_loss(model),
        optimizer,
        dataclasses.replace(PLAN, **plan),
        state,
        recorder.hooks,
    )
    return recorder, optimizer, state


RAGGED = (33, 36, 5, 40, 34, 38, 17, 37, 35, 6)  # 10 rows: a step of 8 and one of 2
WEIGHTS = (1.0, 0.5, 2.0, 1.0, 3.0, 0.25, 1.0, 1.0, 1.5, 0.1)


def reference(model: Any, data: TokenData, rows: Sequence[int]) -> torch.Tensor:
    """The mean over learned tokens, row by row, with all logits."""
    total, units = torch.zeros((), dtype=torch.float64), 0.0
    for row in rows:
        start, end = int(data.starts[row]), int(data.starts[row + 1])
        ids = torch.tensor(data.ids[start:end], dtype=torch.long)
        weights = torch.tensor(data.weights[start + 1 : end])
        logits = model(input_ids=ids[None]).logits[0, :-1]
        losses = cross_entropy(logits, ids[1:], reduction="none")
        total = total + (losses * weights).double().sum()
        units += float(weights.double().sum())
    return total / units


@pytest.mark.parametrize("weights", [(), WEIGHTS], ids=["equal rows", "weighted rows"])
def test_loss_and_gradients_do_not_depend_on_micro_batches(weights: tuple[float, ...]) -> None:
    data = token_data(RAGGED, weights=weights)
    cuts = {"one batch of 8": 10**6, "two of 4": 4 * 40, "one by one": 1}
    found = {name: run(data, micro_batch_tokens=cut, steps=2) for name, cut in cuts.items()}
    model = llama()
    order = step_rows(data, PLAN.batch_size, PLAN.seed)
    for step, rows in enumerate((next(order), next(order))):
        assert len(rows) == (8, 2)[step]
        for recorder, optimizer, _ in found.values():
            event = recorder.events[step]
            if step == 0:  # with the parameters of the start
                expected = reference(model, data, rows)
                assert event["loss"] == pytest.approx(float(expected.detach()), rel=1e-6)
                model.zero_grad()
                expected.backward()
                for gradient, p in zip(optimizer.gradients[0], model.parameters(), strict=True):
                    torch.testing.assert_close(gradient, p.grad, rtol=1e-5, atol=1e-6)
            first = next(iter(found.values()))
            assert event["loss"] == pytest.approx(first[0].events[step]["loss"], rel=1e-6)
            wanted = first[1].gradients[step]
            for a, b in zip(optimizer.gradients[step], wanted, strict=True):
                torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_the_cuts_are_those_that_the_test_above_means() -> None:
    data = token_data(RAGGED)
    sizes: list[int] = []

    def loss(batch: Batch) -> torch.Tensor:
        sizes.append(len(batch.rows))
        return (batch.weights * torch.ones(1, requires_grad=True)).sum()

    for cut, expected in ((10**6, [8]), (4 * 40, [4, 4]), (1, [1] * 8)):
        sizes.clear()
        run(data, loss=loss, micro_batch_tokens=cut, steps=1)
        assert sizes == expected


def test_three_tokens_and_one_make_a_mean_of_four() -> None:
    # the field's best-known bug: losses 1, 2, 3 and 10 have the mean 4, not 6
    data = token_data([4, 2])
    data.weights[:] = [0, 1, 1, 1, 0, 1]
    losses = {0: [1.0, 2.0, 3.0], 1: [10.0]}
    for cut in (1, 100):

        def loss(batch: Batch) -> torch.Tensor:
            parts = torch.tensor([sum(losses[row]) for row in batch.rows], requires_grad=True)
            return parts.sum()

        recorder, _, _ = run(data, loss=loss, micro_batch_tokens=cut, steps=1)
        assert recorder.events[0]["loss"] == 4.0


def test_events() -> None:
    data = token_data(RAGGED)
    recorder, optimizer, state = run(data, steps=4, steps_per_epoch=2, warmup_steps=1)
    assert [event["step"] for event in recorder.events] == [1, 2, 3, 4]
    assert [event["epoch"] for event in recorder.events] == [0.5, 1.0, 1.5, 2.0]
    assert [event["learning_rate"] for event in recorder.events] == [
        learning_rate(step, 4, 0.01, 1, "cosine") for step in range(4)
    ]
    assert sum(event["tokens"] for event in recorder.events) == 2 * sum(RAGGED) == state.tokens
    for event, gradients in zip(recorder.events, optimizer.gradients, strict=True):
        norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in gradients))
        assert event["grad_norm"] == pytest.approx(norm, rel=1e-5)
    assert recorder.events[-1]["loss"] < recorder.events[0]["loss"]


def test_every_so_many_steps_are_told_and_the_first_and_last() -> None:
    data = token_data([6] * 4)
    recorder, _, _ = run(data, steps=8, log_every=3)
    assert [event["step"] for event in recorder.events] == [1, 3, 6, 8]
    recorder, _, _ = run(data, steps=8, log_every=100, eval_data=data, eval_every=5)
    told = [(event["event"], event["step"]) for event in recorder.events]
    assert told == [("step", 1), ("step", 5), ("eval", 5), ("step", 8), ("eval", 8)]


def test_checkpoints_are_due_at_places_epoch_ends_bests_and_the_end() -> None:
    data = token_data([6] * 4)

    def at(**plan: Any) -> list[int]:
        return [state.step for state in run(data, steps=7, **plan)[0].checkpoints]

    assert at() == [7]
    assert at(checkpoint_every=3) == [3, 6, 7]
    assert at(steps_per_epoch=2) == [2, 4, 6, 7]
    # the loss falls at each evaluation, so each is the best so far
    assert at(eval_data=data, eval_every=3) == [3, 6, 7]


def test_the_last_step_is_evaluated_once() -> None:
    data = token_data([6] * 4)
    for steps in (4, 5):
        recorder, _, _ = run(data, eval_data=data, eval_every=2, steps=steps)
        evaluated = [e["step"] for e in recorder.events if e["event"] == "eval"]
        assert evaluated == [2, 4, 5][: steps - 2]


def evaluations(values: Sequence[float], **plan: Any) -> tuple[Recorder, State]:
    """A run whose evaluations give these losses, one after each step."""
    data = token_data([6] * 4)
    given = iter(values)

    def loss(batch: Batch) -> torch.Tensor:
        if torch.is_grad_enabled():
            return batch.units * torch.ones((), requires_grad=True)
        return torch.tensor(next(given) * batch.units)

    plan = {"steps": len(values), "eval_every": 1} | plan
    recorder, _, state = run(data, eval_data=data, loss=loss, **plan)
    return recorder, state


def test_what_was_before_the_first_step_is_never_the_best() -> None:
    recorder, state = evaluations([1, 5, 4], eval_first=True, early_stopping=1, steps=2)
    told = [e for e in recorder.events if e["event"] == "eval"]
    assert [(e["step"], e["eval_loss"], e["best"]) for e in told] == [
        (0, 1.0, False),
        (1, 5.0, True),
        (2, 4.0, True),
    ]
    assert (state.best_step, state.evaluations_since_best, state.stopped_early) == (2, 0, False)
    assert [one.step for one in recorder.checkpoints] == [1, 2]


def test_patience_counts_evaluations_without_a_better_loss() -> None:
    recorder, state = evaluations([5, 4, 4, 3, 3.5, 3, 3, 1], early_stopping=3)
    assert (state.step, state.stopped_early) == (7, True)
    assert (state.best_step, state.best_loss) == (4, 3.0)
    bests = [event["best"] for event in recorder.events if event["event"] == "eval"]
    assert bests == [True, True, False, True, False, False, False]
    assert recorder.checkpoints[-1] == state
    _, state = evaluations([5, 4, 4, 3, 3.5, 3, 3, 1], early_stopping=4)
    assert (state.step, state.stopped_early, state.best_step) == (8, False, 8)
    _, state = evaluations([2, 2, 2, 2, 2])
    assert (state.step, state.stopped_early, state.best_step) == (5, False, 1)
    _, state = evaluations([2, 2], early_stopping=1)
    assert (state.step, state.stopped_early, state.best_step) == (2, True, 1)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_non_finite_evaluation_stops(value: float) -> None:
    with pytest.raises(UserError, match="evaluation loss (nan|inf) after step 2") as raised:
        evaluations([1, value, 1])
    assert raised.value.code == Exit.NON_FINITE


def test_evaluation_does_not_depend_on_the_micro_batches_of_training() -> None:
    data, held_out = token_data([6] * 4), token_data(RAGGED, weights=WEIGHTS, seed=1)
    losses = set()
    for cut in (1, 64, 10**6):
        # without a step of its own: the parameters must be the same ones
        recorder, _, _ = run(
            data, eval_data=held_out, steps=1, micro_batch_tokens=cut, learning_rate=0.0
        )
        losses.add(recorder.events[-1]["eval_loss"])
    (value,) = losses
    expected = reference(llama(), held_out, range(len(held_out)))
    assert value == pytest.approx(float(expected.detach()), rel=1e-6)


def test_evaluation_is_a_mean_over_tokens_in_evaluation_mode() -> None:
    model, data = llama(), token_data(RAGGED)
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    model.train()
    first = evaluate(model, data, supervised_loss(model), pad_id=0)
    assert evaluate(model, data, supervised_loss(model), pad_id=0) == first
    assert model.training
    assert all(p.grad is None for p in model.parameters())
    assert first == pytest.approx(
        float(reference(model.eval(), data, range(10)).detach()), rel=1e-6
    )


def test_dropout_is_on_in_training() -> None:
    model, data = llama(), token_data([20] * 8)
    for layer in model.model.layers:
        layer.self_attn.attention_dropout = 0.5
    expected = reference(model.eval(), data, range(8))
    recorder, _, _ = run(data, model=model, steps=1)
    assert abs(recorder.events[0]["loss"] - float(expected.detach())) > 1e-4


def test_a_stop_is_heeded_after_the_step() -> None:
    data = token_data([6] * 4)
    recorder = Recorder()
    recorder.hooks = dataclasses.replace(
        recorder.hooks, stop_requested=lambda: len(recorder.events) == 2
    )
    _, _, state = run(data, steps=5, recorder=recorder)
    assert (recorder.done, state.step) == (False, 2)
    assert [s.step for s in recorder.checkpoints] == [2]


def test_a_stop_at_once_keeps_the_beginning() -> None:
    recorder, optimizer, state = run(token_data([6] * 4), recorder=Recorder(lambda: True))
    assert (state.step, optimizer.steps) == (0, 0)
    assert [s.step for s in recorder.checkpoints] == [0]


def test_a_stop_within_an_evaluation_is_heeded_and_the_evaluation_done_later() -> None:
    data, held_out = token_data([6] * 4), token_data([1500] * 4)  # four batches
    straight, _, wanted = run(data, eval_data=held_out, steps=2)

    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 4  # between the steps, then in the middle of the evaluation

    model, recorder = llama(), Recorder(stop)
    _, _, state = run(data, eval_data=held_out, model=model, steps=2, recorder=recorder)
    assert (recorder.done, state.step) == (False, 2)
    assert state.evaluated_step is None
    assert [(e["event"], e["step"]) for e in recorder.events] == [("step", 1), ("step", 2)]
    assert recorder.checkpoints == [state]
    assert model.training
    rest, optimizer, state = run(data, eval_data=held_out, model=model, state=state, steps=2)
    assert (rest.done, optimizer.steps) == (True, 0)
    assert recorder.events + rest.events == straight.events
    assert state == wanted


def spoiled(rows: set[int], value: float) -> Callable[[Batch], torch.Tensor]:
    def loss(batch: Batch) -> torch.Tensor:
        factor = value if rows & set(batch.rows) else 1.0
        return batch.units * torch.tensor(factor, requires_grad=True)

    return loss


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_non_finite_loss_stops_before_the_step_and_names_the_rows(value: float) -> None:
    data = token_data([6, 6, 8, 8])
    model, recorder = llama(), Recorder()
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = Watched(model)
    plan = dataclasses.replace(PLAN, micro_batch_tokens=16, steps=3)
    with pytest.raises(UserError) as raised:
        train(model, data, None, spoiled({1}, value), optimizer, plan, State(), recorder.hooks)
    error = raised.value
    assert error.code == Exit.NON_FINITE
    # the rows of the micro-batch it came from, not all of the step
    assert error.reason.endswith("; rows row-0, row-1")
    assert error.reason.startswith("training became non-finite at step 1: loss ")
    assert "no parameter was changed" in (error.hint or "")
    assert optimizer.steps == 0
    assert recorder.events == recorder.checkpoints == []
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_a_non_finite_gradient_stops_too() -> None:
    model = llama()
    data = token_data([6, 6])

    def loss(batch: Batch) -> torch.Tensor:
        zero = (model.lm_head.weight * 0).sum()
        return batch.units * (1 + torch.sqrt(zero))  # 1, with a slope that is not a number

    with pytest.raises(UserError, match="at step 1: gradient norm nan; rows row-0, row-1"):
        run(data, model=model, loss=loss)


def test_of_many_rows_the_first_are_named() -> None:
    data = token_data([6] * 30)
    with pytest.raises(UserError) as raised:
        run(data, loss=spoiled({3}, math.nan), batch_size=30)
    assert raised.value.reason.endswith("row-18, row-19 and 10 more")


def test_a_step_without_anything_to_learn_is_an_error() -> None:
    data = token_data([6, 6], weights=[1e-50, 1e-50])  # nothing is left of it in float32
    with pytest.raises(UserError, match="step 1 has nothing to learn; rows row-0, row-1") as raised:
        run(data)
    assert raised.value.code == Exit.BAD_DATA


def test_it_goes_on_where_the_state_says() -> None:
    data = token_data(RAGGED)
    straight, _, _ = run(data, steps=6)
    model, state = llama(), State()
    optimizer, hooks = Watched(model), Recorder()
    plan = dataclasses.replace(PLAN, steps=6)
    loss = supervised_loss(model)
    for _ in range(3):  # stop and go on, in one process with one optimizer
        stop = Recorder()
        stop.hooks = dataclasses.replace(
            stop.hooks, stop_requested=lambda stop=stop: len(stop.events) == 2
        )
        train(model, data, None, loss, optimizer, plan, state, stop.hooks)
        hooks.events += stop.events
    assert hooks.events == straight.events


def test_its_state_is_json() -> None:
    state = State(3, 100, 0.5, 2, 3, 1, False)
    assert State(**state.as_dict()) == state
    assert trainer.State().as_dict()["best_loss"] is None
