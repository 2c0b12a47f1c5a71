"""Trials and their table, `trials.jsonl`: what was tried, what came of it, in the order of ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from instructune import files
from instructune.errors import UserError
from instructune.jsonl import Row, dumps, read_rows

TRIALS = "trials.jsonl"
RUNNING, COMPLETE, PRUNED, FAILED = STATES = ("running", "complete", "pruned", "failed")


@dataclass
class Trial:
    """One trial; `value` is of the metric, `evaluations` are losses by step."""

    number: int
    params: dict[str, Any]
    state: str = RUNNING
    value: float | None = None
    steps: int | None = None
    reason: str | None = None
    code: int | None = None
    """the exit code of one that failed"""
    evaluations: dict[int, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The name of its run directory."""
        return f"trial-{self.number:04d}"

    def row(self) -> dict[str, Any]:
        """The trial as a line of the table."""
        return {
            "id": self.id,
            "params": self.params,
            "state": self.state,
            "value": self.value,
            "steps": self.steps,
            "reason": self.reason,
            "code": self.code,
            "evaluations": [list(pair) for pair in self.evaluations.items()],
        }

    def evaluated(self, step: int, loss: float) -> None:
        """Note a loss; those of later steps are of a part that is being done again."""
        self.evaluations = {s: known for s, known in self.evaluations.items() if s < step}
        self.evaluations[step] = loss


class Trials(list[Trial]):
    """All trials of a sweep; `save` replaces the table on the disk as a whole."""

    def __init__(self, folder: Path, trials: Iterable[Trial] = ()) -> None:
        super().__init__(trials)
        self.path = folder / TRIALS

    @classmethod
    def read(cls, folder: Path) -> Trials:
        """The trials in the folder's table; raises UserError where it is damaged."""
        trials = cls(folder)
        if trials.path.is_file():
            with files.open_input(str(trials.path)) as source:
                for row in read_rows(source.stream, str(trials.path)):
                    trials.append(_trial(row, len(trials), str(trials.path)))
        return trials

    def save(self) -> None:
        """Write the table."""
        files.write_bytes(self.path, b"".join(dumps(trial.row()) + b"\n" for trial in self))

    def counts(self) -> dict[str, int]:
        """How many trials are in each state."""
        counted = Counter(trial.state for trial in self)
        return {state: counted[state] for state in STATES if counted[state]}

    def best(self, sign: int) -> Trial | None:
        """The complete trial of the least `sign * value`; the first of equals."""
        complete = [trial for trial in self if trial.state == COMPLETE]
        return min(complete, key=lambda trial: sign * (trial.value or 0.0), default=None)


def _trial(row: Any, number: int, name: str) -> Trial:
    if isinstance(row, Row):
        try:
            value = dict(row.value)
            value["evaluations"] = {int(step): loss for step, loss in value["evaluations"]}
            trial = Trial(number=number, **{k: v for k, v in value.items() if k != "id"})
            if trial.state in STATES and trial.id == value["id"]:
                return trial
        except (KeyError, TypeError, ValueError):
            pass
    raise UserError(f"is not what `sweep` writes, at trial {number}", where=name)
