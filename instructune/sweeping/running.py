"""Trials dealt to workers until there are enough: what comes of each is noted as it comes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from instructune.errors import Exit, UserError
from instructune.sweeping import searching
from instructune.sweeping.asked import Asked
from instructune.sweeping.pool import Pool, Worker
from instructune.sweeping.trials import COMPLETE, FAILED, PRUNED, RUNNING, Trial, Trials
from instructune.sweeping.worker import Event, Job

Notify = Callable[[Event], None]

# Failures that the trial is not to blame for: it is done again when the sweep goes on.
_OUTSIDE = {
    *(Exit.NO_INPUT, Exit.UNAVAILABLE, Exit.CANNOT_CREATE, Exit.IO, Exit.LOCKED, Exit.PERMISSION)
}


@dataclass
class Rules:
    """What the trials of a sweep have in common."""

    asked: Asked
    min_steps: int | None
    job: Callable[[Trial], Job]
    notify: Notify


class Runner:
    """Keeps the workers busy and the table of trials true."""

    def __init__(self, rules: Rules, trials: Trials) -> None:
        self.rules, self.trials = rules, trials
        self.running: dict[Worker, Trial] = {}
        self.waiting = [trial for trial in trials if trial.state == RUNNING]  # were interrupted
        self.asked_to_stop: set[int] = set()
        self.is_exhausted = False

    def run(self, pool: Pool) -> None:
        """Run until all trials that were asked for are done.

        Raises UserError where a trial fails for something outside of it, or the first ones all do.
        """
        while True:
            for worker in pool.workers:
                if worker not in self.running and (trial := self._next()):
                    self._start(worker, trial)
            if not self.running:
                return
            for worker, event in pool.listen():
                self._hear(worker, event)

    def _next(self) -> Trial | None:
        while self.waiting:
            trial = self.waiting.pop(0)
            if not self._is_hopeless(trial):
                return trial
            self._end(trial, PRUNED)
        asked, config = self.rules.asked, self.rules.asked.config
        if self.is_exhausted or len(self.trials) >= asked.trials:
            return None
        params = searching.propose(
            asked.space, config.sampler, config.seed, asked.sign, self.trials
        )
        if params is None:
            self.is_exhausted = True
            self._note(f"all points were tried: {len(self.trials)}")
            return None
        self.trials.append(Trial(len(self.trials), params))
        self.trials.save()
        return self.trials[-1]

    def _start(self, worker: Worker, trial: Trial) -> None:
        self._note(f"{trial.id}: {told(trial.params)}")
        self.running[worker] = trial
        worker.send(self.rules.job(trial))

    def _hear(self, worker: Worker, event: Event) -> None:
        trial = self.running[worker]
        if event["event"] == "eval":
            trial.evaluated(event["step"], event["eval_loss"])
            self.trials.save()
            goes_on = not self._is_hopeless(trial)
            if not goes_on:
                self.asked_to_stop.add(trial.number)
            worker.send({"go": goes_on})
        elif event["event"] == "end":
            self._ended(trial, event)
        elif event["event"] == "over":
            del self.running[worker]
            if trial.state == RUNNING:
                self._fail(trial, f"was killed (exit status {event['status']})", Exit.OUT_OF_MEMORY)
        else:
            raise UserError(
                f"a worker process ended early (exit status {event['status']})",
                where=trial.id,
                hint="the same command goes on",
                code=Exit.BUG,
            )

    def _is_hopeless(self, trial: Trial) -> bool:
        config = self.rules.asked.config
        if config.pruning == "none" or not trial.evaluations:
            return False
        assert self.rules.min_steps
        others = [other for other in self.trials if other is not trial]
        return searching.is_hopeless(
            trial, others, min_steps=self.rules.min_steps, reduction=config.reduction
        )

    def _ended(self, trial: Trial, event: Event) -> None:
        if event["state"] == "complete":
            trial.evaluations = dict(event["evaluations"])
            trial.value, trial.steps = event["value"], event["steps"]
            self._end(trial, COMPLETE)
        elif event["state"] == "failed":
            where = f"{event['where']}: " if event.get("where") else ""
            self._fail(trial, f"{where}{event['error']}", Exit(event["code"]), event.get("hint"))
        elif trial.number in self.asked_to_stop:
            self._end(trial, PRUNED)
        else:
            self._fail(trial, "was stopped by a signal", Exit.BUG)

    def _end(self, trial: Trial, state: str) -> None:
        trial.state = state
        if state == PRUNED:
            trial.steps = max(trial.evaluations)
            trial.value = trial.evaluations[trial.steps]
            trial.reason = f"eval_loss {trial.value:.4f} after {trial.steps} steps"
        self.trials.save()
        best = self.trials.best(self.rules.asked.sign) is trial
        metric = self.rules.asked.config.metric if state == COMPLETE else "eval_loss"
        value = f"{metric} {trial.value:.4f}" if trial.value is not None else ""
        self._note(f"{trial.id}: {state}, {value}{' (best)' if best else ''}")

    def _fail(self, trial: Trial, reason: str, code: Exit, hint: str | None = None) -> None:
        """Note a failure, or raise it where going on makes no sense."""
        if code in _OUTSIDE:
            raise UserError(reason, where=trial.id, hint=hint, code=code)
        trial.state, trial.reason, trial.code = FAILED, reason, int(code)
        trial.steps = max(trial.evaluations, default=None)
        self.trials.save()
        self._note(f"{trial.id}: failed, {reason}")
        is_first = not any(other.state == COMPLETE for other in self.trials)
        if is_first and code not in (Exit.NON_FINITE, Exit.OUT_OF_MEMORY):
            # the others would fail alike; it is tried again once its cause is mended
            trial.state = RUNNING
            self.trials.save()
            raise UserError(reason, where=trial.id, hint=hint, code=code)

    def _note(self, text: str) -> None:
        self.rules.notify({"event": "note", "text": text})


def run_alone(pool: Pool, job: Job) -> Event:
    """Do a job that is no trial; what came of it. Raises UserError where it fails."""
    pool.workers[0].send(job)
    ended: Event = {"state": "failed", "error": "was killed", "code": Exit.OUT_OF_MEMORY}
    while True:
        for worker, event in pool.listen():
            if event["event"] == "eval":
                worker.send({"go": True})
            elif event["event"] == "end":
                ended = event
            elif ended["state"] == "complete":
                return ended
            else:
                reason, code = ended.get("error", "was stopped"), Exit(ended.get("code", Exit.BUG))
                raise UserError(
                    reason, where=job["train"]["output"], hint=ended.get("hint"), code=code
                )


def told(params: dict[str, Any]) -> str:
    """Parameters as `name=value, …`."""
    return ", ".join(f"{name}={value}" for name, value in params.items())
