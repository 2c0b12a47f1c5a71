"""distinct_2: pairs of words, none across answers."""

from __future__ import annotations

import pytest

from tests.metrics.test_distinct_1 import texts
from tests.scored import measured


def test_pairs():
    assert measured("distinct_2", texts("a b a b", "b a", "c")) == pytest.approx(2 / 4)
