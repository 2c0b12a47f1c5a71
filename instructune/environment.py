"""What torch and its companions read from the environment, and how they are imported fast."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager


def before_torch() -> None:
    """Set, where the user has not: huge pages for big tensors, short waits, and no telemetry.

    First touch of a fresh tensor costs as much as the arithmetic on it; with huge pages a page
    fault brings in 2 MiB instead of 4 KiB. Threads that wait for each other by spinning take the
    processor from those they wait for where anything else runs: training was ten times as slow.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")


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
