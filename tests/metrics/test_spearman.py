"""spearman: scipy's number, ties and resamples included."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import spearmanr

from tests.metrics.test_mae import numbered
from tests.metrics.test_pearson import SMALL, by_scipy
from tests.scored import resampled


@settings(max_examples=60)
@given(SMALL)
def test_it_is_scipys_of_resamples_too(rows):
    predicted, true, counts = (np.array(column) for column in zip(*rows, strict=True))
    weights = np.array([np.ones(len(true)), counts if any(counts) else np.ones(len(true))])
    found = resampled("spearman", numbered(predicted**3, true), weights)
    assert found[0] == pytest.approx(by_scipy(spearmanr, predicted, true), abs=1e-9)
    picked = [np.repeat(side, weights[1].astype(int)) for side in (predicted, true)]
    assert found[1] == pytest.approx(by_scipy(spearmanr, *picked), abs=1e-9)
    halved = resampled("spearman", numbered(predicted**3, true), weights / 2)
    assert halved == pytest.approx(found, abs=1e-12)
