"""trials: the table as it is on the disk, whole at any time."""

from __future__ import annotations

import json

import pytest

from instructune.errors import UserError
from instructune.sweeping.trials import Trial, Trials

ROW = {
    "id": "trial-0000",
    "params": {"seed": 1},
    "state": "complete",
    "value": 2.5,
    "steps": 4,
    "reason": None,
    "code": None,
    "evaluations": [[2, 3.5], [4, 2.5]],
}


def test_what_is_saved_is_read_back(tmp_path):
    trials = Trials(tmp_path, [Trial(0, {"seed": 1}, "complete", 2.5, 4, None, None)])
    trials[0].evaluated(2, 3.5)
    trials[0].evaluated(4, 2.5)
    trials.append(Trial(1, {"seed": 2}, "failed", reason="no", code=70))
    trials.save()
    lines = (tmp_path / "trials.jsonl").read_text().splitlines()
    assert json.loads(lines[0]) == ROW
    assert list(Trials.read(tmp_path)) == list(trials)
    assert Trials.read(tmp_path / "nowhere") == []


def test_an_evaluation_done_again_forgets_those_after_it():
    trial = Trial(0, {}, evaluations={2: 3.0, 4: 2.0, 6: 1.0})
    trial.evaluated(4, 2.5)
    assert trial.evaluations == {2: 3.0, 4: 2.5}


def test_the_best_is_complete_and_the_first_of_equals(tmp_path):
    values = [("complete", 3.0), ("pruned", 1.0), ("complete", 2.0), ("complete", 2.0)]
    trials = Trials(tmp_path, [Trial(i, {}, s, v) for i, (s, v) in enumerate(values)])
    assert trials.best(1) is trials[2]
    assert trials.best(-1) is trials[0]
    assert trials.counts() == {"complete": 3, "pruned": 1}
    assert Trials(tmp_path, [Trial(0, {})]).best(1) is None


@pytest.mark.parametrize(
    "line",
    [
        "{",
        json.dumps(ROW | {"id": "trial-0001"}),
        json.dumps(ROW | {"state": "odd"}),
        json.dumps(ROW | {"evaluations": 3}),
        json.dumps(ROW | {"more": 3}),
        json.dumps({"id": "trial-0000"}),
    ],
)
def test_a_damaged_table(tmp_path, line):
    (tmp_path / "trials.jsonl").write_text(line + "\n")
    with pytest.raises(UserError, match="is not what `sweep` writes, at trial 0"):
        Trials.read(tmp_path)
