"""Weights & Biases: offline in `RUN/wandb`, unless WANDB_MODE says otherwise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from instructune.extras import extra
from instructune.trackers._memory import numbers, remembered, settings

LIBRARY = "wandb"
ENVIRONMENT = {"WANDB_MODE": "offline", "WANDB_ERROR_REPORTING": "false"}


class Tracker:
    """One run of the service, whatever the number of times that ours is resumed."""

    def __init__(self, run_dir: Path, document: dict[str, Any]) -> None:
        wandb = extra("wandb", "track", "--track wandb")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "instructune"),
            name=os.environ.get("WANDB_NAME", run_dir.name),
            id=remembered(run_dir, "wandb", lambda: os.urandom(8).hex()),
            resume="allow",
            mode=os.environ["WANDB_MODE"],
            dir=str(run_dir),
            config=settings(document),
            settings=wandb.Settings(silent=True, console="off"),  # the terminal is not theirs
        )

    def log(self, event: dict[str, Any]) -> None:
        """Hand the event's numbers over."""
        self._run.log(numbers(event), step=event["step"])

    def close(self) -> None:
        """Wait until all is on the disk, or with the service."""
        self._run.finish()
