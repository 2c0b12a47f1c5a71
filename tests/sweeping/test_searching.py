"""searching: proposals that depend on trials and seed alone, halving by hand, what mattered."""

from __future__ import annotations

import math
import random
import sys

import pytest

from instructune.errors import UserError
from instructune.sweeping.searching import importance, is_hopeless, propose
from instructune.sweeping.space import Parameter, Space
from instructune.sweeping.trials import Trial

needs_optuna = pytest.mark.usefixtures("optuna")
RATE = Parameter("learning_rate", low=1e-5, high=1e-1, log=True)
DROPOUT = Parameter("dropout", low=0.0, high=0.5)
BATCH = Parameter("batch_size", low=1, high=32)
SPACE = Space({}, (RATE, DROPOUT, BATCH))


@pytest.fixture
def optuna():
    return pytest.importorskip("optuna")


def loss(params) -> float:
    """Least at a rate of 0.001; dropout hardly matters, and the batch size does not."""
    return (math.log10(params["learning_rate"]) + 3) ** 2 + 0.1 * params["dropout"]


def tried(space: Space, sampler: str, count: int, *, seed: int = 0, sign: int = 1) -> list[Trial]:
    trials: list[Trial] = []
    for number in range(count):
        params = propose(space, sampler, seed, sign, trials)
        assert params is not None
        trials.append(Trial(number, params, "complete", sign * loss(params)))
    return trials


@needs_optuna
@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_proposal_depends_on_seed_and_trials_alone(sampler):
    trials = tried(SPACE, sampler, 14)
    assert tried(SPACE, sampler, 14) == trials
    # asked again for the last one, as a sweep does that was stopped before it
    assert propose(SPACE, sampler, 0, 1, trials[:13]) == trials[13].params
    assert tried(SPACE, sampler, 2, seed=1)[0].params != trials[0].params
    for trial in trials:
        assert 1e-5 <= trial.params["learning_rate"] <= 1e-1
        assert 0 <= trial.params["dropout"] <= 0.5
        assert type(trial.params["batch_size"]) is int
        assert 1 <= trial.params["batch_size"] <= 32


@needs_optuna
@pytest.mark.parametrize("sign", [1, -1])
def test_tpe_goes_where_it_is_better(sign):
    late = [trial.params["learning_rate"] for trial in tried(SPACE, "tpe", 40, sign=sign)[20:]]
    near = sum(1e-4 < rate < 1e-2 for rate in late)
    assert near >= 17  # half of them by chance
    drawn = [trial.params["learning_rate"] for trial in tried(SPACE, "random", 40)[20:]]
    assert 5 <= sum(1e-4 < rate < 1e-2 for rate in drawn) <= 15


@needs_optuna
def test_tpe_avoids_what_made_training_impossible():
    def failures(code: int) -> int:
        """Of the last trials where rates above 0.001 fail with this code, and all else is equal."""
        space, trials = Space({}, (RATE,)), []
        for number in range(24):
            params = propose(space, "tpe", 0, 1, trials)
            diverged = params["learning_rate"] > 1e-3
            trials.append(Trial(number, params, "complete", 1.0))
            if diverged:
                trials[-1] = Trial(number, params, "failed", code=code)
        return sum(trial.state == "failed" for trial in trials[12:])

    assert failures(70) == failures(71) <= 4
    assert failures(78) >= 6  # which says nothing of how good it would have been


@needs_optuna
def test_pruned_and_running_trials_are_known_too():
    trials = tried(SPACE, "tpe", 12)
    was = propose(SPACE, "tpe", 0, 1, trials)
    pruned = Trial(12, trials[3].params | {"batch_size": 7}, "pruned", 9.0, evaluations={2: 9.0})
    running = Trial(12, trials[3].params | {"batch_size": 7}, "running")
    for more in (pruned, running):
        assert propose(SPACE, "tpe", 0, 1, [*trials, more]) not in (None, was)


@needs_optuna
@pytest.mark.parametrize("sampler", ["tpe", "random", "grid"])
def test_no_point_is_tried_twice_and_all_are_tried(sampler):
    choices = Parameter("schedule", ("cosine", "linear", "constant"))
    space = Space({"method": "lora"}, (choices, Parameter("method.rank", low=1, high=4)))
    trials: list[Trial] = []
    while params := propose(space, sampler, 0, 1, trials):
        trials.append(Trial(len(trials), params, "complete", float(len(trials))))
    points = [trial.params for trial in trials]
    assert sorted(map(str, points)) == sorted(map(str, space.points()))
    assert (points == list(space.points())) == (sampler == "grid")


@needs_optuna
def test_options_of_a_plug_in_are_drawn_with_it_alone():
    method = Parameter("method", ("full", "lora"))
    space = Space({}, (method, RATE, Parameter("method.rank", low=1, high=64)))
    trials = tried(space, "tpe", 0)
    for number in range(16):
        params = propose(space, "tpe", 0, 1, trials)
        assert ("method.rank" in params) == (params["method"] == "lora")
        trials.append(Trial(number, params, "complete", float(number)))
    assert {trial.params["method"] for trial in trials} == {"full", "lora"}


@needs_optuna
def test_halving_by_hand():
    def hopeless(losses: dict[int, float], *others: dict[int, float]) -> bool:
        return is_hopeless(
            Trial(0, {}, evaluations=losses),
            [Trial(1 + i, {}, evaluations=other) for i, other in enumerate(others)],
            min_steps=2,
            reduction=2,
        )

    # at two steps: one in two goes on, and as long as they are fewer, the best so far
    assert not hopeless({2: 5.0})
    assert hopeless({2: 5.0}, {2: 4.0})
    assert not hopeless({2: 4.0}, {2: 5.0})
    assert hopeless({2: 4.5}, {2: 4.0}, {2: 5.0})
    assert not hopeless({2: 4.5}, {2: 4.0}, {2: 5.0}, {2: 6.0})
    assert hopeless({2: 5.5}, {2: 4.0}, {2: 5.0}, {2: 6.0})
    # before that nothing is stopped; between rungs neither
    assert not hopeless({1: 9.0}, {1: 1.0, 2: 1.0})
    assert not hopeless({2: 1.0, 3: 9.0}, {2: 2.0, 3: 2.0})
    # at four: against the others' fourth step, not their second
    assert hopeless({2: 1.0, 4: 3.5}, {2: 4.0, 4: 3.0})
    assert not hopeless({2: 1.0, 4: 3.5}, {2: 3.0}, {2: 3.0, 4: 4.0})
    # an evaluation that comes late counts for the rungs it is past
    assert hopeless({5: 3.5}, {2: 1.0, 4: 1.0})
    assert hopeless({5: 3.5}, {5: 3.0})


@needs_optuna
def test_importance():
    def trials(sign: int, count: int = 60) -> list[Trial]:
        draw, found = random.Random(0), []
        for number in range(count):
            params = {"learning_rate": 10 ** draw.uniform(-5, -1), "dropout": draw.uniform(0, 0.5)}
            params["batch_size"] = draw.randint(1, 32)
            found.append(Trial(number, params, "complete", sign * loss(params)))
        return found

    found = importance(SPACE, 1, trials(1))
    assert list(found) == sorted(found, key=lambda name: -found[name])
    assert found["learning_rate"] > 0.8
    assert sum(found.values()) == pytest.approx(1)
    assert importance(SPACE, -1, trials(-1)) == pytest.approx(found)
    assert importance(SPACE, 1, trials(1, 3)) == {}
    assert (
        importance(SPACE, 1, [Trial(i, t.params, "complete", 1.0) for i, t in enumerate(trials(1))])
        == {}
    )
    # what some trials do not have is left out
    part = trials(1)
    del part[0].params["batch_size"]
    assert importance(SPACE, 1, part).keys() == {"learning_rate", "dropout"}


def test_the_grid_needs_no_library_and_the_others_say_which(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    space = Space({}, (Parameter("seed", (1, 2)),))
    assert propose(space, "grid", 0, 1, []) == {"seed": 1}
    with pytest.raises(UserError) as caught:
        propose(space, "tpe", 0, 1, [])
    assert caught.value.code == 69
    assert str(caught.value) == (
        "sweep: needs optuna, which is not installed\n  hint: pip install 'instructune[sweep]'"
    )
