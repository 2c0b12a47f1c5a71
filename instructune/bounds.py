"""What values a setting may have: others are usage errors that name the option as it is typed."""

from __future__ import annotations

import math

from instructune.errors import did_you_mean, usage

_MOST = 2**63 - 1  # what a tensor can hold
THREADS = 4096  # more than any machine has


def check_bad_rows(mode: str, rejects: str | None) -> None:
    """What becomes of bad rows, and a place for them where they are kept."""
    choice("--bad-rows", mode, ("fail", "quarantine"))
    if (mode == "quarantine") != (rejects is not None):
        raise usage("--bad-rows quarantine and --rejects FILE go together")


def choice(flag: str, value: str, choices: tuple[str, ...]) -> None:
    """One of the choices."""
    if value not in choices:
        raise usage(f"unknown value {value!r}", where=flag, hint=did_you_mean(value, choices))


def least(flag: str, value: float | None, bound: float, *, exclusive: bool = False) -> None:
    """At least `bound`, or above it where that is excluded; None is no value."""
    if value is None:
        return
    if not math.isfinite(value) or value < bound or (exclusive and value == bound):
        raise usage(
            f"must be {'above' if exclusive else 'at least'} {bound}, got {value}", where=flag
        )
    if value > _MOST:
        raise usage(f"must be at most {_MOST}, got {value}", where=flag)


def between(flag: str, value: float | None, low: float, high: float) -> None:
    """From `low` to `high`; None is no value."""
    if value is not None and not low <= value <= high:
        raise usage(f"must be from {low} to {high}, got {value}", where=flag)


def flag_of(name: str) -> str:
    """The option of a setting's name."""
    return "--" + name.replace("_", "-")
