"""What to try next, whether to go on with a trial, and what mattered: Optuna, asked anew each time.

The answers depend on the seed and on the trials so far alone, so a sweep that was stopped goes on
as it would have gone on anyway.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from instructune.errors import Exit
from instructune.extras import extra
from instructune.sweeping.space import Parameter, Params, Space
from instructune.sweeping.trials import COMPLETE, FAILED, PRUNED, RUNNING, Trial

_DRAWS = 16  # for a point that was not tried yet
_LISTED = 1_000_000  # points that are gone through for one that is left
_HOPELESS = (Exit.NON_FINITE, Exit.OUT_OF_MEMORY)  # which the settings are to blame for
_FEWEST = 4  # complete trials that tell something of importance


def optuna() -> Any:
    """The library, silent; 69 with the install line where it is missing."""
    found = extra("optuna", "sweep", "sweep")
    found.logging.set_verbosity(found.logging.ERROR)
    return found


def propose(
    space: Space, sampler: str, seed: int, sign: int, trials: Sequence[Trial]
) -> Params | None:
    """The parameters of the next trial, which no earlier one had; None where none are left.

    TPE: Bergstra et al. 2011, Algorithms for Hyper-Parameter Optimization, as Optuna has it.
    """
    taken = {_key(trial.params) for trial in trials}
    if sampler == "grid":
        return next((point for point in space.points() if _key(point) not in taken), None)
    for attempt in range(_DRAWS):
        drawn = _drawn(space, sampler, _mixed(seed, len(trials), attempt), sign, trials)
        if _key(drawn) not in taken:
            return drawn
    if space.size is None:
        return None
    points = islice(space.points(), _LISTED)
    return next((point for point in points if _key(point) not in taken), None)


def _key(params: Params) -> str:
    return json.dumps(params, sort_keys=True)


def _mixed(*numbers: int) -> int:
    """One seed of several numbers."""
    from numpy.random import SeedSequence

    return int(SeedSequence(numbers).generate_state(1)[0])


def _drawn(space: Space, sampler: str, seed: int, sign: int, trials: Sequence[Trial]) -> Params:
    library = optuna()
    kinds = {"tpe": library.samplers.TPESampler, "random": library.samplers.RandomSampler}
    study = library.create_study(sampler=kinds[sampler](seed=seed))
    study.add_trials([_frozen(library, space, sign, trial) for trial in trials])
    asking = study.ask()
    chosen: Params = {}
    for parameter in space.parameters:
        if space.active(parameter, chosen):
            chosen[parameter.name] = parameter.tidy(_suggested(asking, parameter))
    return chosen


def _suggested(asking: Any, parameter: Parameter) -> Any:
    if parameter.choices:
        return asking.suggest_categorical(parameter.name, parameter.choices)
    name, low, high = parameter.name, parameter.low, parameter.high
    if parameter.is_whole:
        return asking.suggest_int(name, low, high, log=parameter.log, step=parameter.step or 1)
    return asking.suggest_float(name, low, high, log=parameter.log, step=parameter.step)


def _distribution(library: Any, parameter: Parameter) -> Any:
    kinds = library.distributions
    if parameter.choices:
        return kinds.CategoricalDistribution(parameter.choices)
    low, high, step = parameter.low, parameter.high, parameter.step
    if parameter.is_whole:
        return kinds.IntDistribution(low, high, log=parameter.log, step=step or 1)
    return kinds.FloatDistribution(low, high, log=parameter.log, step=step)


def _frozen(library: Any, space: Space, sign: int, trial: Trial) -> Any:
    """A trial as Optuna knows it; one that its settings made impossible is the worst of all."""
    states = library.trial.TrialState
    state = {COMPLETE: states.COMPLETE, PRUNED: states.PRUNED, RUNNING: states.RUNNING}
    value: float | None = None
    if trial.state == COMPLETE and trial.value is not None:
        value = sign * trial.value
    elif trial.state == FAILED and trial.code in _HOPELESS:
        value, state = math.inf, {FAILED: states.COMPLETE}
    by_name = {parameter.name: parameter for parameter in space.parameters}
    return library.trial.create_trial(
        state=state.get(trial.state, states.FAIL),
        value=value,
        params=trial.params,
        distributions={name: _distribution(library, by_name[name]) for name in trial.params},
        intermediate_values=trial.evaluations if trial.state == PRUNED else {},
    )


def is_hopeless(trial: Trial, others: Sequence[Trial], *, min_steps: int, reduction: int) -> bool:
    """Whether to stop the trial at its last evaluation, by asynchronous successive halving.

    At `min_steps`, and at each `reduction` times as many, only one in `reduction` of the trials
    that came so far goes on. Li et al. 2020, arXiv 1810.05934.
    """
    library = optuna()
    halving = library.pruners.SuccessiveHalvingPruner(min_steps, reduction)
    study = library.create_study(pruner=halving)
    last = max(trial.evaluations)
    before = {step: loss for step, loss in trial.evaluations.items() if step < last}
    for losses, reached in [
        *((other.evaluations, other.evaluations) for other in others),
        (trial.evaluations, before),
    ]:
        rungs = _rungs(reached, min_steps, reduction)
        attributes = {f"completed_rung_{rung}": loss for rung, loss in enumerate(rungs)}
        study.add_trial(
            library.trial.create_trial(
                state=library.trial.TrialState.RUNNING,
                intermediate_values=losses,
                system_attrs=attributes,
            )
        )
    return bool(halving.prune(study, study.trials[-1]))


def _rungs(evaluations: Mapping[int, float], min_steps: int, reduction: int) -> list[float]:
    """The loss at each rung that was reached: the first one from its number of steps on."""
    found: list[float] = []
    while True:
        steps = min_steps * reduction ** len(found)
        at_rung = [step for step in evaluations if step >= steps]
        if not at_rung:
            return found
        found.append(evaluations[min(at_rung)])


def importance(space: Space, sign: int, trials: Sequence[Trial]) -> dict[str, float]:
    """How much each parameter has to do with being among the best tenth; shares of 1.

    Of the parameters that all complete trials have; empty where these are few, or all alike.
    PED-ANOVA: Watanabe et al. 2023, arXiv 2304.10255.
    """
    complete = [trial for trial in trials if trial.state == COMPLETE]
    if len(complete) < _FEWEST or len({trial.value for trial in complete}) == 1:
        return {}
    library = optuna()
    study = library.create_study()
    study.add_trials([_frozen(library, space, sign, trial) for trial in complete])
    measure = library.importance.PedAnovaImportanceEvaluator()
    shared = set.intersection(*(set(trial.params) for trial in complete))
    names = [parameter.name for parameter in space.parameters if parameter.name in shared]
    found = library.importance.get_param_importances(study, evaluator=measure, params=names)
    return {name: float(share) for name, share in found.items()}
