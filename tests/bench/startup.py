"""`--help`: CPU seconds, against `trl --help`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from tests.bench.measure import TUNE, alternate, cpu_seconds, line


def run(rounds: int = 5) -> dict[str, Any]:
    """Five pairs of runs."""
    peer = shutil.which("trl", path=str(Path(sys.executable).parent))
    ours, theirs, ratio = alternate(
        lambda: cpu_seconds([*TUNE, "--help"]), lambda: cpu_seconds([str(peer), "--help"]), rounds
    )
    return line("startup", cpu_seconds=ours, trl_cpu_seconds=theirs, ratio=ratio)


if __name__ == "__main__":
    run()
