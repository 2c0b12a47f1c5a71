"""At least so many, at most so many: what the counting checks share."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage


@dataclass(frozen=True)
class Bounds:
    """Inclusive; both alike for an exact number."""

    min: int | None = None
    max: int | None = None

    def __post_init__(self) -> None:
        least, most = self.min, self.max
        if least is None and most is None:
            raise usage("needs min or max")
        if min(x for x in (least, most) if x is not None) < 0:
            raise usage("min and max cannot be negative")
        if least is not None and most is not None and least > most:
            raise usage(f"min {least} is more than max {most}")


def outside(count: int, bounds: Bounds, what: str) -> str | None:
    """Say that a count is too small or too large, or None."""
    if bounds.min is not None and count < bounds.min:
        return f"{count} {what}, at least {bounds.min} wanted"
    if bounds.max is not None and count > bounds.max:
        return f"{count} {what}, at most {bounds.max} allowed"
    return None
