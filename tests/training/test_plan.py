"""Settings that depend on the data or the model, resolved by hand-checked rules."""

from __future__ import annotations

import pytest

from instructune.configs import TrainConfig
from instructune.training.plan import limit_of, longest, plan_of, rate_of, steps_of
from tests.tuning import token_data


@pytest.mark.parametrize(
    ("epochs", "steps", "expected"),
    [
        (None, None, 9),  # 3 epochs of 3 steps: 10 rows in steps of 4
        (1, None, 3),
        (0.5, None, 2),  # 1.5 steps
        (0.01, None, 1),
        (None, 7, 7),
        (None, 100, 100),
        (1, 7, 3),  # whichever is over first
        (3, 7, 7),
    ],
)
def test_steps(epochs: float | None, steps: int | None, expected: int) -> None:
    config = TrainConfig(epochs=epochs, steps=steps, batch_size=4)
    assert steps_of(config, 10) == expected


def test_learning_rates_by_what_is_trained() -> None:
    assert rate_of(random=False, adapter=False) == 2e-5
    assert rate_of(random=False, adapter=True) == 2e-4
    assert rate_of(random=True, adapter=False) == 1e-3
    assert rate_of(random=True, adapter=True) == 1e-3


def test_an_optimizer_tells_how_many_times_the_usual_rate_is_its_own() -> None:
    for name, times in (("lion:beta1=0.5", 0.2), ("sgd", 100), ("adafactor", 50), ("adamw8bit", 1)):
        assert rate_of(random=False, adapter=True, optimizer=name) == pytest.approx(2e-4 * times)


def test_longest_sequence() -> None:
    assert longest(8192, preset=False) == 2048
    assert longest(1024, preset=False) == 1024
    assert longest(None, preset=False) == 2048
    assert longest(4096, preset=True) == 4096


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"max_position_embeddings": 4096}, 4096),
        ({"n_positions": 1024}, 1024),
        ({"max_position_embeddings": None}, None),
        ({}, None),
    ],
)
def test_limits_that_models_name(config: dict[str, int], expected: int | None) -> None:
    assert limit_of(config) == expected


def test_everything_is_resolved() -> None:
    config = TrainConfig(batch_size=4, epochs=10, warmup=0.1, seed=7, log_every=5)
    plan = plan_of(config, token_data([4] * 10), rate=0.5, device="cpu", pad_id=9)
    assert plan.steps == 30
    assert plan.steps_per_epoch == 3
    assert plan.warmup_steps == 3
    assert plan.eval_every == 3  # an epoch
    assert plan.checkpoint_every == 100
    assert plan.micro_batch_tokens == 2048
    assert (plan.learning_rate, plan.seed, plan.log_every, plan.pad_id) == (0.5, 7, 5, 9)
    config = TrainConfig(batch_size=4, eval_every=2, micro_batch_tokens=100)
    plan = plan_of(config, token_data([4] * 10), rate=0.5, device="cuda", pad_id=0)
    assert (plan.eval_every, plan.micro_batch_tokens) == (2, 100)
    plan = plan_of(TrainConfig(), token_data([4]), rate=0.5, device="cuda", pad_id=0)
    assert plan.micro_batch_tokens == 16384
