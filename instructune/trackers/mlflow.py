"""MLflow: a file store in `RUN/mlflow`, unless MLFLOW_TRACKING_URI is set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from instructune.extras import extra
from instructune.trackers._memory import numbers, remembered, settings

LIBRARY = "mlflow"
ENVIRONMENT = {
    "MLFLOW_TRACKING_URI": "file://{run}/mlflow",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
_LONGEST = 500  # characters of a parameter that any store takes


class Tracker:
    """One run of an experiment; settings are its parameters, written when it begins."""

    def __init__(self, run_dir: Path, document: dict[str, Any]) -> None:
        mlflow = extra("mlflow", "track", "--track mlflow")
        self._client = mlflow.MlflowClient(tracking_uri=os.environ["MLFLOW_TRACKING_URI"])
        self._id = remembered(run_dir, "mlflow", lambda: self._begun(run_dir.name, document))
        self._client.update_run(self._id, status="RUNNING")

    def _begun(self, name: str, document: dict[str, Any]) -> str:
        experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", "instructune")
        found = self._client.get_experiment_by_name(experiment)
        number = found.experiment_id if found else self._client.create_experiment(experiment)
        run: str = self._client.create_run(number, run_name=name).info.run_id
        for key, value in settings(document).items():
            if value is not None:
                self._client.log_param(run, key, str(value)[:_LONGEST])
        return run

    def log(self, event: dict[str, Any]) -> None:
        """Write the event's numbers."""
        for name, value in numbers(event).items():
            self._client.log_metric(self._id, name, value, step=event["step"])

    def close(self) -> None:
        """Say that the run is over."""
        self._client.set_terminated(self._id)
