"""Run commands in turn and compare what they took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
TUNE = [sys.executable, "-m", "instructune"]
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "CI": "1"}


class Usage(NamedTuple):
    """What a command took, in seconds of wall time, and what it printed."""

    wall: float
    output: str


def run(command: list[str], **environment: str) -> Usage:
    """Run to the end; raises with the command's own words if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | OFFLINE | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    output, errors = process.communicate()
    wall = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}\n{errors[-2000:]}")
    return Usage(wall, output)


def cpu_seconds(command: list[str]) -> float:
    """CPU seconds of one run, start to exit."""
    before = _children()
    run(command)
    return _children() - before


def _children() -> float:
    times = os.times()
    return times.children_user + times.children_system


def alternate(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int
) -> tuple[float, float, float]:
    """Medians of both, measured A B A B, and the median of the ratios of neighbours."""
    pairs = [(ours(), peer()) for _ in range(rounds)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def line(name: str, **facts: Any) -> dict[str, Any]:
    """Print and return one JSON line."""
    facts = {"bench": name} | {
        key: round(value, 4) if isinstance(value, float) else value for key, value in facts.items()
    }
    print(json.dumps(facts), flush=True)
    return facts
