"""compression: words by words, of the source that the options name."""

from __future__ import annotations

import pytest

from tests.scored import answered, measured


def test_words_of_the_source_by_words_of_the_summary():
    rows = {"text": ["one two three four"] * 4, "article": ["one two"] * 4}
    answers = answered(["one two", "one", "", None], ["-"] * 4, **rows)
    assert measured("compression", answers) == pytest.approx((2 + 4 + 0 + 0) / 4)
    assert measured("compression:source=article", answers) == pytest.approx((1 + 2 + 0 + 0) / 4)
