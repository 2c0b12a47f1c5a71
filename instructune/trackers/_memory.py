"""What a tracker needs of an event, and what it must know again when its run is resumed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from instructune import files

FOLDER = ".tracking"  # in the run directory


def numbers(event: dict[str, Any]) -> dict[str, float]:
    """The finite numbers of an event but for its step: loss, learning_rate, eval_loss, …"""
    return {
        name: float(value)
        for name, value in event.items()
        if name != "step"
        and isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    }


def remembered(run_dir: Path, name: str, make: Callable[[], str]) -> str:
    """A name that was made when the run began: what a service calls the run."""
    path = run_dir / FOLDER / f"{name}.id"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    made = make()
    path.parent.mkdir(exist_ok=True)
    files.write_bytes(path, made.encode())
    return made


def settings(document: dict[str, Any]) -> dict[str, Any]:
    """A run's settings as they were typed, and the numbers that they came to."""
    return document["config"] | {f"resolved.{k}": v for k, v in document["resolved"].items()}
