"""bits_per_byte: weighted by bytes."""

from __future__ import annotations

import pytest

from tests.metrics.test_perplexity import LOGPROBS, logged
from tests.scored import measured


def test_it_is_of_all_bytes():
    assert measured("bits_per_byte", logged(LOGPROBS)) == pytest.approx(0.8)  # 8 bits, 10 bytes
