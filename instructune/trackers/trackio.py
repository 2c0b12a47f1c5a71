"""Trackio: a database in `RUN/trackio`, unless TRACKIO_DIR or TRACKIO_SPACE_ID is set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from instructune.extras import extra
from instructune.trackers._memory import numbers, remembered, settings

LIBRARY = "trackio"
ENVIRONMENT = {"TRACKIO_DIR": "{run}/trackio"}  # read when it is imported


class Tracker:
    """One run of the project, resumed by its name."""

    def __init__(self, run_dir: Path, document: dict[str, Any]) -> None:
        self._trackio = extra("trackio", "track", "--track trackio")
        self._run = self._trackio.init(
            project=os.environ.get("TRACKIO_PROJECT", "instructune"),
            name=remembered(run_dir, "trackio", lambda: f"{run_dir.name}-{os.urandom(3).hex()}"),
            resume="allow",
            config=settings(document),
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )

    def log(self, event: dict[str, Any]) -> None:
        """Hand the event's numbers over."""
        self._run.log(numbers(event), step=event["step"])

    def close(self) -> None:
        """Wait until all is in the database."""
        self._trackio.finish()  # the run's own is called again when Python ends, and prints
