"""A power of what is left, down to a share of the peak."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage


@dataclass(frozen=True)
class Options:
    """The exponent, and the share of the peak at the end."""

    power: float = 2.0
    end: float = 0.0

    def __post_init__(self) -> None:
        if not self.power > 0:
            raise usage("schedule 'polynomial': power must be above 0")
        if not 0 <= self.end <= 1:
            raise usage("schedule 'polynomial': end must be from 0 to 1")


def share(step: int, steps: int, options: Options) -> float:
    """`(1 - end) * left ** power + end`."""
    left = max(0.0, 1 - step / max(1, steps))
    return float((1 - options.end) * left**options.power + options.end)
