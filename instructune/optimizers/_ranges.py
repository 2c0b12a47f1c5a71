"""What numbers an optimizer takes."""

from __future__ import annotations

from typing import Any

from instructune.errors import usage


def check(optimizer: str, options: Any, *, shares: str = "", positive: str = "") -> None:
    """Options that must be from 0 to below 1, and those above 0, by their names."""
    for name in shares.split():
        if not 0 <= getattr(options, name) < 1:
            raise usage(f"optimizer {optimizer!r}: {name} must be from 0 to below 1")
    for name in positive.split():
        if not getattr(options, name) > 0:
            raise usage(f"optimizer {optimizer!r}: {name} must be above 0")
