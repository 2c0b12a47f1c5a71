"""What torch and its companions read from the environment while they are imported."""

from __future__ import annotations

import os


def before_torch() -> None:
    """Set, where the user has not: huge pages for big tensors, and no telemetry.

    First touch of a fresh tensor costs as much as the arithmetic on it; with huge pages a page
    fault brings in 2 MiB instead of 4 KiB.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
