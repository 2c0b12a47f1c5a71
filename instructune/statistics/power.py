"""Effect sizes, the smallest difference that could be seen, and the units needed to see one."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

from instructune.statistics.intervals import Z95

POWER = 0.8
_BOTH = Z95 + NormalDist().inv_cdf(POWER)  # 2.80 standard errors


def detectable(error: float) -> float:
    """The smallest true difference that a test at 5 % finds 8 times in 10, by its standard error.

    Miller 2024, arXiv:2411.00640, section 5; a normal approximation.
    """
    return _BOTH * error


def needed(delta: float, error: float, n: int) -> int | None:
    """Units with which a true difference of `delta` would be found 8 times in 10.

    `error` is the standard error with n units; None for no difference.
    """
    return None if delta == 0 or error == 0 else math.ceil(n * (_BOTH * error / delta) ** 2)


def cohens_dz(delta: float, error: float, n: int) -> float | None:
    """The mean of paired differences by their standard deviation (Cohen 1988, section 2.3.5)."""
    return None if error == 0 else delta / (error * math.sqrt(n))


def cohens_h(share: float, other: float) -> float:
    """The difference of two proportions in arcsine units (Cohen 1988, section 6.2)."""
    return 2 * (math.asin(math.sqrt(share)) - math.asin(math.sqrt(other)))


def odds_ratio(gained: int, lost: int) -> float | None:
    """The matched odds ratio: gains for each loss; None where nothing was lost."""
    return gained / lost if lost else None


def outlook(delta: float, error: float, n: int) -> dict[str, Any]:
    """What the data could tell: the error of the difference, and what 80 % power asks for."""
    return {
        "standard_error": error,
        "detectable": detectable(error) if error else None,
        "needed_n": needed(delta, error, n),
    }
