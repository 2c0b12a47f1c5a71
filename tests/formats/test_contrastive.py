"""contrastive: a text, what is close to it and what is not."""

from __future__ import annotations

import pytest

from instructune.formats import contrastive


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"anchor": "a", "positive": "b"}, [{"text": "a", "positive": "b"}]),
        (
            {"query": "a", "positive": "b", "negatives": ["c", "d"]},
            [{"text": "a", "positive": "b", "negatives": ["c", "d"]}],
        ),
        (
            {"query": "a", "pos": ["b", "c"], "neg": ["d"]},
            [
                {"text": "a", "positive": "b", "negatives": ["d"]},
                {"text": "a", "positive": "c", "negatives": ["d"]},
            ],
        ),
        (
            {"anchor": "a", "positive": "b", "negative": "c"},
            [{"text": "a", "positive": "b", "negatives": ["c"]}],
        ),
        ({"query": "a", "pos": ["b"], "neg": []}, [{"text": "a", "positive": "b"}]),
        ({"anchor": "a", "positive": "b", "negative": None}, [{"text": "a", "positive": "b"}]),
    ],
)
def test_convert(row, made):
    assert contrastive.convert(row) == made


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"anchor": 1, "positive": "b"}, "anchor must be a string"),
        ({"anchor": "a", "positive": []}, "positive must be a string or a list of strings"),
        ({"anchor": "a", "positive": "b", "negative": [1]}, "negative must be a string or a list"),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        contrastive.convert(row)


def test_a_column_that_is_missing():
    with pytest.raises(KeyError, match="positive"):
        contrastive.convert({"query": "a"})


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"anchor", "positive"}, True),
        ({"text", "positive", "id"}, False),  # a text, whose own fields these are
        ({"query", "pos", "neg"}, True),
        ({"text", "negatives"}, False),
        ({"positive", "negative"}, False),
        ({"prompt", "text", "positive"}, False),
    ],
)
def test_recognises(keys, known):
    assert contrastive.recognises(frozenset(keys)) == known
