"""95 % intervals: BCa, Wilson's, Bonett and Price's for pairs, and Student's over clusters."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

_NORMAL = NormalDist()
Z95 = _NORMAL.inv_cdf(0.975)


class Interval(NamedTuple):
    """A 95 % interval and the method that found it."""

    low: float
    high: float
    method: str


def wilson_interval(successes: float, n: int) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927, JASA 22(158), 209-212)."""
    share, z2 = successes / n, Z95 * Z95
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # exactly the bound where all or none succeed, whatever the last digit of the terms
    low = max(0.0, centre - half) if successes else 0.0
    return low, min(1.0, centre + half) if successes < n else 1.0


def bonett_price_interval(gained: int, lost: int, n: int) -> tuple[float, float]:
    """The interval of a difference of two proportions on the same n units.

    Wald's after one unit was added to those gained and one to those lost (Bonett & Price 2012,
    J. Educ. Behav. Stat. 37(4), 479-488). Wald's own would have no width where nothing changed.
    """
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = Z95 * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return max(-1.0, up - down - half), min(1.0, up - down + half)


def unseen_interval(value: float, n: int, bounds: tuple[float, float]) -> tuple[float, float]:
    """An interval for a mean within `bounds` when all n units have the same `value`.

    Units that differ were seen 0 times in n, so they make up at most the share h, the upper
    Wilson limit of 0 in n, and each lies within the bounds. For values 0 and 1 this is Wilson's.
    """
    h = wilson_interval(0, n)[1]
    return value - h * (value - bounds[0]), value + h * (bounds[1] - value)


def bca_interval(
    draws: np.ndarray, value: float, left_out: np.ndarray, bounds: tuple[float, float]
) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval (Efron 1987, JASA 82(397), 171-185).

    The bias is read off the share of `draws` below `value`, those equal to it counted half; the
    acceleration off the skewness of the jackknife's values `left_out`.
    """
    near = 1e-12 * max(1.0, float(np.abs(draws).max()))
    below = np.count_nonzero(draws < value - near)
    equal = np.count_nonzero(np.abs(draws - value) <= near)
    share = (below + equal / 2) / len(draws)
    least = 0.5 / len(draws)
    bias = _NORMAL.inv_cdf(min(max(share, least), 1 - least))
    apart = left_out.mean() - left_out
    spread = math.fsum(apart**2) ** 1.5
    acceleration = math.fsum(apart**3) / (6 * spread) if spread > 0 else 0.0
    levels = [_NORMAL.cdf(_corrected(bias, acceleration, z)) for z in (-Z95, Z95)]
    low, high = np.quantile(draws, levels)
    return max(float(low), bounds[0]), min(float(high), bounds[1])


def _corrected(bias: float, acceleration: float, z: float) -> float:
    """The normal quantile to read off the draws; beyond the formula's pole, the outermost."""
    rest = 1 - acceleration * (bias + z)
    return bias + (bias + z) / rest if rest > 0 else math.copysign(math.inf, bias + z)


def jackknife_error(left_out: np.ndarray) -> float:
    """The standard error by the jackknife (Tukey 1958): for a mean, s / sqrt(n)."""
    if (g := len(left_out)) < 2:
        return 0.0
    apart = left_out - left_out.mean()
    return math.sqrt((g - 1) / g * math.fsum(apart**2))


def student_interval(
    value: float, left_out: np.ndarray, bounds: tuple[float, float]
) -> tuple[float, float]:
    """Value and jackknife error with Student's quantile of g - 1 degrees of freedom.

    With few clusters of unequal sizes it holds its level where the bootstrap's intervals are too
    narrow (MacKinnon, Nielsen & Webb 2023, J. Appl. Econometrics 38(5), 671-694).
    """
    from scipy.special import stdtrit

    half = float(stdtrit(len(left_out) - 1, 0.975)) * jackknife_error(left_out)
    return max(value - half, bounds[0]), min(value + half, bounds[1])


def interval(
    draws: np.ndarray,
    value: float,
    left_out: np.ndarray,
    n: int,
    bounds: tuple[float, float],
    *,
    clustered: bool,
) -> Interval | None:
    """The interval that fits n units: BCa, over clusters Student's; None where none is known.

    Where all draws agree it would have no width, which claims a certainty that n units cannot
    give: see `unseen_interval`. Draws on which the metric is undefined are left out; where it is
    infinite on some there is no interval.
    """
    if np.isinf(draws).any() or np.isinf(left_out).any():
        return None
    draws, left_out = draws[~np.isnan(draws)], left_out[~np.isnan(left_out)]
    if not len(draws):
        return None
    scale = min(bounds[1] - bounds[0], max(1.0, float(np.abs(draws).max())))
    if np.ptp(draws) <= 1e-12 * scale or len(left_out) < 2:
        if math.isinf(bounds[1] - bounds[0]):
            return None
        return Interval(*unseen_interval(value, n, bounds), "wilson")
    if clustered:
        return Interval(*student_interval(value, left_out, bounds), "student")
    return Interval(*bca_interval(draws, value, left_out, bounds), "bca")
