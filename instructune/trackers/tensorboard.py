"""TensorBoard: event files in `RUN/tensorboard`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructune.extras import extra
from instructune.jsonl import pretty
from instructune.trackers._memory import numbers, settings

LIBRARY = "tensorboard"
ENVIRONMENT: dict[str, str] = {}


class Tracker:
    """Scalars by step, and the settings as a text."""

    def __init__(self, run_dir: Path, document: dict[str, Any]) -> None:
        folder = run_dir / "tensorboard"
        is_new = not folder.is_dir()
        board = extra("torch.utils.tensorboard", "track", "--track tensorboard")
        self._writer = board.SummaryWriter(str(folder))
        if is_new:
            text = pretty(settings(document)).decode()
            indented = "".join(f"    {line}\n" for line in text.splitlines())  # a block of code
            self._writer.add_text("settings", indented, 0)

    def log(self, event: dict[str, Any]) -> None:
        """Write the event's numbers; they are in the file when this returns."""
        for name, value in numbers(event).items():
            self._writer.add_scalar(name, value, event["step"])
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        self._writer.close()
