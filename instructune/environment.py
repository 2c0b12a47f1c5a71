"""What torch and its companions read from the environment, and how they are imported fast."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def before_torch() -> None:
    """Set, where the user has not: huge pages for big tensors, short waits, and no telemetry.

    First touch of a fresh tensor costs as much as the arithmetic on it; with huge pages a page
    fault brings in 2 MiB instead of 4 KiB. Threads that wait for each other by spinning take the
    processor from those they wait for where anything else runs: training was ten times as slow.
    Where nothing does, waking them costs small models a fifth of their time, so they spin a while.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000" if _is_busy() else "30000")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


def _is_busy() -> bool:
    """Whether something else runs, at three moments in a row; unknown where Linux is not."""
    return all(_running() > 1 for _ in range(3))


def _running() -> int:
    """How many threads run or want to, this one among them, a moment from now."""
    time.sleep(0.002)
    try:
        told = Path("/proc/loadavg").read_text().split()[3]
        return int(told.partition("/")[0])
    except (OSError, ValueError, IndexError):
        return 1


@contextmanager
def importing_torch() -> Iterator[None]:
    """Import torch and its companions without garbage collection, which finds nothing there.

    What they made is left out of all later collections, those at exit among them: a quarter of
    the time of a short command.
    """
    before_torch()
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()
