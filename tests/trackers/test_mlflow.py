"""mlflow: a file store in the run unless asked otherwise, one run with its parameters once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from instructune import tracking
from instructune.trackers.mlflow import Tracker
from tests.tracked import DOCUMENT, EVAL, EXPECTED, STEP, fake, tracked

pytestmark = pytest.mark.usefixtures("environment")

VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    experiments: dict[str, Any] = {}

    class Client:
        def __init__(self, tracking_uri: str) -> None:
            found.append(tracking_uri)

        def get_experiment_by_name(self, name: str) -> Any:
            return experiments.get(name)

        def create_experiment(self, name: str) -> str:
            experiments[name] = SimpleNamespace(experiment_id=f"id of {name}")
            return f"id of {name}"

        def create_run(self, number: str, run_name: str) -> Any:
            found.append(("create", number, run_name))
            return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

        def __getattr__(self, name: str) -> Any:
            return lambda *given, **named: found.append((name, *given, *named.values()))

    fake(monkeypatch, "mlflow", MlflowClient=Client)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return found


def test_what_is_asked_and_logged(tmp_path, calls):
    run = tmp_path / "my-run"
    run.mkdir()
    tracking.check(["mlflow"], run)
    for _ in range(2):
        tracker = Tracker(run, DOCUMENT)
        tracker.log(EVAL)
        tracker.close()
    place = f"file://{run}/mlflow"
    logged = [("log_metric", "r1", "eval_loss", 2.0, 1), ("set_terminated", "r1")]
    begun = [
        ("create", "id of instructune", "my-run"),
        ("log_param", "r1", "seed", "0"),
        ("log_param", "r1", "schedule", "cosine"),
        ("log_param", "r1", "resolved.steps", "8"),
    ]
    running = ("update_run", "r1", "RUNNING")
    assert calls == [place, *begun, running, *logged, place, running, *logged]


def test_the_environment_says_otherwise(tmp_path, calls, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "parcels")
    tracking.check(["mlflow"], tmp_path)
    long = {"config": {"data": "x" * 1000}, "resolved": {"template": None}}
    Tracker(tmp_path, long).log(STEP)
    assert calls[0] == "http://127.0.0.1:1"
    assert calls[1][1] == "id of parcels"
    assert calls[2] == ("log_param", "r1", "data", "x" * 500)
    assert [call[2:] for call in calls[4:]] == [
        ("loss", 2.5, 1),
        ("grad_norm", 1.0, 1),
        ("tokens", 7.0, 1),
        ("epoch", 0.5, 1),
    ]


@pytest.mark.slow
def test_the_real_library_has_each_event_once(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path}/store")
    tracked(tmp_path, "mlflow")
    client = mlflow.MlflowClient(f"file://{tmp_path}/store")
    (run,) = client.search_runs([client.get_experiment_by_name("instructune").experiment_id])
    for key, kind in (("loss", "step"), ("eval_loss", "eval")):
        steps = [metric.step for metric in client.get_metric_history(run.info.run_id, key)]
        assert steps == [step for step, name in EXPECTED if name == kind]
    assert run.data.params["schedule"] == "cosine"
    assert run.info.status == "FINISHED"
