"""One bound on a count: what the length checks share."""

from __future__ import annotations

from dataclasses import dataclass

from instructune.errors import usage


@dataclass(frozen=True)
class Limit:
    """The bound, inclusive."""

    n: int

    def __post_init__(self) -> None:
        if self.n < 0:
            raise usage("n cannot be negative")
