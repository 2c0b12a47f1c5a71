"""pairs: differences of two systems by formulas for 0/1 scores, by draws for all others."""

from __future__ import annotations

import numpy as np
import pytest

from instructune.evaluating import pairs
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.evaluating.systems import System, units_of
from instructune.statistics import resampling
from instructune.statistics.intervals import bonett_price_interval


def two(spec, mine, theirs, reference="x y"):
    sides = [
        [Answer(text, [reference], "text", {"id": f"{i:03}"}) for i, text in enumerate(side)]
        for side in (mine, theirs)
    ]
    units = units_of(sides[0], None)
    return sides, [System(Metric(spec), side, units, {}) for side in sides]


def test_gains_and_losses_of_zeros_and_ones():
    sides, systems = two(
        "exact_match", ["x y"] * 30 + ["z"] * 10, ["z"] * 9 + ["x y"] * 27 + ["z"] * 4
    )
    fields, details, recipe = pairs.compare(*systems, [], sides, seed=0)
    assert fields["delta"] == pytest.approx((9 - 6) / 40)
    assert fields["delta_ci95"] == list(bonett_price_interval(9, 6, 40))
    assert fields["p"] == pytest.approx(0.60723876953125)
    assert recipe == "delta_ci:bonett_price|p:mcnemar,exact"
    assert (details["gained"], details["lost"], details["odds_ratio"]) == (9, 6, 1.5)
    assert details["standard_error"] == pytest.approx(
        np.std(np.repeat([1.0, -1.0, 0.0], [9, 6, 25]), ddof=1) / np.sqrt(40)
    )


def test_differences_of_means_and_of_corpus_metrics():
    rng = np.random.default_rng(0)
    mine, theirs = (rng.choice(["x", "x y", "x y z", "w"], size=50) for _ in range(2))
    for spec, test in (("token_f1", "sign_flip"), ("chrf", "swap")):
        sides, systems = two(spec, mine, theirs)
        draws = resampling.bootstrap([s.measure for s in systems], 500, 0)
        fields, details, recipe = pairs.compare(*systems, draws, sides, seed=0)
        assert fields["delta"] == systems[0].value - systems[1].value
        assert recipe.startswith(f"delta_ci:bca|p:{test},")
        assert fields["delta_ci95"][0] < fields["delta"] < fields["delta_ci95"][1]
        error, n = details["standard_error"], details["units"]
        assert details["effect_size"] == pytest.approx(fields["delta"] / error / np.sqrt(n))
