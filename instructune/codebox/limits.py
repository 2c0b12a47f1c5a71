"""What a program in a sandbox may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a program may use: seconds of processor time and megabytes of memory.

    It may last three times as long by the clock, so that a busy machine changes no verdict.
    """

    seconds: int = 5
    memory: int = 512
    processes: int = 8
    files: int = 16  # megabytes of /tmp, and of any one file

    @property
    def wall(self) -> int:
        """Seconds by the clock."""
        return 3 * self.seconds
