"""characters: replacement characters, shares of symbols and letters."""

from __future__ import annotations

import pytest

from instructune.filters.characters import Filter, Options
from instructune.records import Record


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("工\ufffd作", {}, "more than 0 replacement characters"),
        ("工\ufffd作", {"max_replaced": 1}, None),
        ("!!! ??? ab", {}, "more than 0.5 of it symbols"),
        ("!!! ??? ab", {"max_symbols": 1.0}, None),
        ("for (i = 0; i < n; i++) { a[i] = b; }", {}, "more than 0.5 of it symbols"),
        ("def f(x):\n    return x + 1", {}, None),
        ("12 34 ab", {"min_letters": 0.5}, "less than 0.5 of it letters"),
        ("你好，12", {"min_letters": 0.4}, None),
        (" ", {}, None),
    ],
)
def test_shares(text, options, expected):
    assert Filter(Options(**options))(Record(id="1", text=text)) == expected
