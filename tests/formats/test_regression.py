"""regression: numbers stay numbers, also from tables."""

from __future__ import annotations

import pytest

from instructune.formats import regression


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"text": "t", "label": 3}, {"text": "t", "label": 3}),
        ({"text": "t", "score": "3.50"}, {"text": "t", "label": 3.5}),
        ({"text": "t", "label": "-4"}, {"text": "t", "label": -4}),
        ({"text": "t", "label": None}, {"text": "t"}),
        ({"text": "t", "label": 1, "score": 9}, {"text": "t", "label": 1, "score": 9}),
        ({"sentence1": "a", "sentence2": "b", "score": 1.5}, {"texts": ["a", "b"], "label": 1.5}),
    ],
)
def test_convert(row, made):
    assert regression.convert(row) == [made]


@pytest.mark.parametrize("label", ["high", "nan", "inf", True, [1], ""])
def test_what_is_no_number_is_told(label):
    with pytest.raises(ValueError, match="label must be a (finite )?number"):
        regression.convert({"text": "t", "label": label})


def test_only_by_name():
    assert not regression.recognises(frozenset({"text", "score"}))
    with pytest.raises(KeyError, match="label"):
        regression.convert({"text": "t"})
