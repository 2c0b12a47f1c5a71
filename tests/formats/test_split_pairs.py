"""split_pairs: CLINC150's shape."""

from __future__ import annotations

import pytest

from instructune.formats import split_pairs


def test_convert():
    row = {"train": [["a", "x"], ["b", 1]], "oos_val": [["c", "oos"]], "val": []}
    assert split_pairs.convert(row) == [
        {"text": "a", "label": "x", "split": "train"},
        {"text": "b", "label": "1", "split": "train"},
        {"text": "c", "label": "oos", "split": "oos_val"},
    ]
    assert not split_pairs.recognises(frozenset(row))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"train": "x"}, r"train must be a list of \[text, label\] pairs"),
        ({"train": [["a"]]}, r"train\[0\] must be a \[text, label\] pair"),
        ({"train": [[1, "a"]]}, r"train\[0\] must be a"),
        ({"train": []}, "has no pairs"),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        split_pairs.convert(row)
