"""auprc: scikit-learn's average precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from sklearn.metrics import average_precision_score

from tests.metrics.test_auroc import BINARY, CHANCE, MANY, TRUE, scored
from tests.scored import measured, resampled


def test_reference_vector():
    assert measured("auprc", scored(TRUE, CHANCE)) == pytest.approx(0.9428571428571428, abs=1e-9)


@settings(max_examples=60)
@given(BINARY)
def test_two_labels_and_resamples(rows):
    true, chances, counts = zip(*rows, strict=True)
    assume(0 < sum(true) < len(true))
    weights = np.array([np.ones(len(true)), counts])
    found = resampled("auprc", scored(true, list(chances)), weights)
    assert found[0] == pytest.approx(average_precision_score(true, chances), abs=1e-9)
    both = len(set(np.repeat(true, counts))) == 2
    expected = average_precision_score(true, chances, sample_weight=counts) if both else 0
    assert found[1] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(MANY)
def test_of_three_labels_each_against_the_rest(rows):
    true = [0, 1, 2, *(row[0] for row in rows)]
    parts = [(1, 1, 2), (3, 1, 1), (1, 2, 2), *(row[1] for row in rows)]
    chances = np.array([np.array(part) / sum(part) for part in parts])
    answers = scored(true, chances.tolist())
    each = [average_precision_score([t == i for t in true], chances[:, i]) for i in range(3)]
    assert measured("auprc", answers) == pytest.approx(np.mean(each), abs=1e-9)
    assert measured("auprc:positive=0", answers) == pytest.approx(each[0], abs=1e-9)


def test_an_error_is_ranked_worst():
    answers = scored([0, 1, 1, 0], [0.2, 0.9, 0.8, 0.1], ["0", None, "0", None])
    expected = average_precision_score([0, 1, 1, 0], [0.2, 0.0, 0.8, 1.0])
    assert measured("auprc", answers) == pytest.approx(expected)
