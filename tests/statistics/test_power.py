"""statistics.power: effect sizes and power against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower, normal_power
from statsmodels.stats.proportion import proportion_effectsize

from instructune.statistics import power


def test_a_detectable_difference_is_found_8_times_in_10():
    error = 0.02
    chance = normal_power(power.detectable(error) / error, nobs=1, alpha=0.05)
    assert chance == pytest.approx(0.8, abs=1e-5)


def test_with_the_units_needed_a_difference_is_found_8_times_in_10():
    spread, delta, n = 0.5, 0.04, 100
    found = power.needed(delta, spread / np.sqrt(n), n)
    expected = NormalIndPower(ddof=0).solve_power(
        delta / spread, power=0.8, alpha=0.05, ratio=0, nobs1=None
    )
    assert found == pytest.approx(expected, abs=1)
    assert found == 1227
    assert power.needed(-delta, spread / np.sqrt(n), n) == found
    assert power.needed(0.0, 0.1, n) is None
    assert power.needed(0.1, 0.0, n) is None


def test_effect_sizes():
    apart = np.array([0.5, 0.0, 0.25, -0.25])
    error = apart.std(ddof=1) / 2
    assert power.cohens_dz(apart.mean(), error, 4) == pytest.approx(
        apart.mean() / apart.std(ddof=1)
    )
    assert power.cohens_dz(0.5, 0.0, 4) is None
    assert power.cohens_h(0.7, 0.5) == pytest.approx(proportion_effectsize(0.7, 0.5))
    assert power.cohens_h(1.0, 0.0) == pytest.approx(np.pi)
    assert power.odds_ratio(6, 4) == 1.5
    assert power.odds_ratio(6, 0) is None


def test_the_outlook():
    assert power.outlook(0.04, 0.05, 100) == {
        "standard_error": 0.05,
        "detectable": pytest.approx(0.14007925),
        "needed_n": 1227,
    }
    assert power.outlook(0.0, 0.0, 5) == {
        "standard_error": 0.0,
        "detectable": None,
        "needed_n": None,
    }
