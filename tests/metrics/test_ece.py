"""ece: published numbers, which bin an edge is in, equal shares, resamples, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from tests.scored import answered, measured, resampled

EDGES = [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
HITS = [1, 0, 1, 1, 0, 1]


def scored(confidence, right, predictions=None):
    """Rows whose top label, `top`, has a chance of half or more, and is right or not."""
    rows = [{"top": math.log(c), "zero": math.log1p(-c) if c < 1 else -1e4} for c in confidence]
    references = ["top" if hit else "zero" for hit in right]
    return answered(predictions or ["top"] * len(right), references, label_scores=rows)


def test_an_edge_is_in_the_bin_below():
    """Two conventions differ here: 0.25 by (lo, hi], which ours is; 0.1833 by [lo, hi)."""
    assert measured("ece:bins=5", scored(EDGES, HITS)) == pytest.approx(0.25, abs=1e-9)
    assert "edges:(lo,hi]" in Metric("ece").SIGNATURE


def test_reference_vectors():
    chances = [0.1, 0.9, 0.8, 0.4, 0.35, 0.6, 0.7, 0.95]
    true = [0, 1, 1, 0, 1, 0, 1, 1]
    answers = scored(
        [max(c, 1 - c) for c in chances],
        [(c > 0.5) == t for c, t in zip(chances, true, strict=True)],
    )
    assert measured("ece:bins=10", answers) == pytest.approx(0.125, abs=1e-9)
    assert measured("ece", answers) == pytest.approx(0.2, abs=1e-9)
    assert Metric("ece").SIGNATURE.endswith("|bins:15|adaptive:false")


def test_the_example_of_torchmetrics():
    """Confidences below a half, of four labels of which the first is on top."""
    preds, target = [0.25, 0.25, 0.55, 0.75, 0.75], [0, 0, 1, 1, 1]
    rows = []
    for chance in preds:
        rest = (1 - chance) / 9
        rows.append({"a": math.log(chance)} | {f"b{i}": math.log(rest) for i in range(9)})
    answers = answered(["a"] * 5, ["a" if hit else "b1" for hit in target], label_scores=rows)
    assert measured("ece:bins=2", answers) == pytest.approx(0.29, abs=1e-9)


def by_hand(confidence, right, bins):
    """Rows one by one, each put into the bin whose upper edge is the first that is not below."""
    edges = [(i + 1) / bins for i in range(bins)]
    groups = [[] for _ in edges]
    for c, hit in zip(confidence, right, strict=True):
        place = next(i for i, edge in enumerate(edges) if c <= edge + 1e-9)
        groups[place].append((c, hit))
    gaps = [abs(sum(c for c, _ in g) - sum(h for _, h in g)) for g in groups]
    return sum(gaps) / len(right)


ROWS = st.lists(
    st.tuples(st.integers(50, 99), st.booleans(), st.integers(0, 3)), min_size=1, max_size=30
)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 20))
def test_each_bin_and_resamples(rows, bins):
    confidence, right, counts = zip(*((c / 100, hit, n) for c, hit, n in rows), strict=True)
    weights = np.array([np.ones(len(rows)), counts])[: 1 + any(counts)]
    found = resampled(f"ece:bins={bins}", scored(confidence, right), weights)
    assert found[0] == pytest.approx(by_hand(confidence, right, bins), abs=1e-9)
    if any(counts):
        drawn = [np.repeat(part, counts) for part in (confidence, right)]
        assert found[1] == pytest.approx(by_hand(*drawn, bins), abs=1e-9)


@settings(max_examples=60)
@given(st.integers(1, 5), st.integers(1, 5), st.randoms(use_true_random=False))
def test_adaptive_bins_hold_the_same_number_of_rows(bins, each, random):
    confidence = random.sample([c / 1000 for c in range(501, 1000)], bins * each)
    right = [random.random() < 0.5 for _ in confidence]
    pairs = sorted(zip(confidence, right, strict=True))
    groups = [pairs[i * each : (i + 1) * each] for i in range(bins)]
    expected = sum(abs(sum(c - hit for c, hit in group)) for group in groups) / len(pairs)
    spec = f"ece:bins={bins},adaptive=true"
    assert measured(spec, scored(confidence, right)) == pytest.approx(expected, abs=1e-9)


def test_rows_of_one_chance_are_not_told_apart():
    """Four rows of one chance in two bins: neither bin may get the two that are right."""
    for right in ([1, 1, 0, 0], [0, 1, 0, 1]):
        answers = scored([0.6] * 4, right)
        found = measured("ece:bins=2,adaptive=true", answers)
        assert found == pytest.approx(0.1, abs=1e-9)


def test_weights_are_copies_of_rows_for_adaptive_bins_too():
    confidence, right, counts = [0.6, 0.7, 0.8, 0.9], [1, 0, 1, 1], [2, 1, 0, 3]
    copies = scored(np.repeat(confidence, counts), np.repeat(right, counts))
    spec = "ece:bins=2,adaptive=true"
    found = resampled(spec, scored(confidence, right), np.array([counts], dtype=float))
    assert found[0] == pytest.approx(measured(spec, copies), abs=1e-12)


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_the_order_of_rows_changes_no_bit(adaptive):
    random = np.random.default_rng(0)
    confidence, right = random.uniform(0.5, 1, 500).round(2), random.integers(0, 2, 500)
    other = random.permutation(500)
    spec = f"ece:adaptive={adaptive}"
    found = measured(spec, scored(confidence, right))
    assert found == measured(spec, scored(confidence[other], right[other]))


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_an_error_is_as_wrong_as_can_be(adaptive):
    answers = scored([0.75, 0.75, 0.75], [1, 1, 1], ["top", None, "top"])
    found = measured(f"ece:adaptive={adaptive}", answers)
    assert found == pytest.approx((0.25 + 0.25 + 1) / 3, abs=1e-12)


def test_the_bins_that_hold_rows_are_told():
    answers = scored(EDGES, HITS)
    told = Metric("ece:bins=5").details(answers, None)
    assert told["bins"][0] == {
        "n": 2.0,
        "confidence": pytest.approx(0.55),
        "accuracy": 0.5,
        "low": 0.4,
        "high": 0.6,
    }
    assert [b["n"] for b in told["bins"]] == [2, 2, 2]
    assert told["calibration"]["temperature"] > 1  # it is too sure
    told = Metric("ece:bins=3,adaptive=true").details(answers, None)
    assert [b["confidence"] for b in told["bins"]] == pytest.approx([0.55, 0.75, 0.95])


def test_wrong_options():
    with pytest.raises(UserError, match="bins must be from 1 to 1000, got 0"):
        Metric("ece:bins=0")
