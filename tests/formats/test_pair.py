"""pair: two texts and what holds between them."""

from __future__ import annotations

import pytest

from instructune.formats import pair


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"premise": "a", "hypothesis": "b", "label": 0}, {"texts": ["a", "b"], "label": "0"}),
        ({"question1": "a", "question2": "b", "label": "1"}, {"texts": ["a", "b"], "label": "1"}),
        ({"text_b": "b", "text_a": "a"}, {"texts": ["a", "b"]}),
        ({"texts": ["a", "b"], "label": 2}, {"texts": ["a", "b"], "label": "2"}),
        ({"sentence1": "a", "sentence2": "b", "label": 4.75}, {"texts": ["a", "b"], "label": 4.75}),
        ({"sentence1": "a", "sentence2": "b", "score": "5"}, {"texts": ["a", "b"], "label": 5}),
        ({"sentence1": "a", "sentence2": "b", "label": -1}, {"texts": ["a", "b"]}),
        ({"sentence1": "a", "sentence2": "b", "label": None}, {"texts": ["a", "b"]}),
        (
            {"sentence1": "a", "sentence2": "b", "label": 1, "score": 0.5},
            {"texts": ["a", "b"], "label": "1", "score": 0.5},
        ),
        ({"text": "x", "sentence1": "a", "sentence2": "b"}, {"texts": ["a", "b"]}),
    ],
)
def test_convert(row, made):
    assert pair.convert(row) == [made]


def test_what_is_missing_or_wrong_is_told():
    with pytest.raises(KeyError, match="sentence1"):
        pair.convert({"premise": "a"})
    with pytest.raises(ValueError, match="hypothesis must be a string"):
        pair.convert({"premise": "a", "hypothesis": 1})


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"premise", "hypothesis", "label"}, True),
        ({"text1", "text2"}, True),
        ({"texts", "label"}, True),
        ({"texts", "messages"}, False),
        ({"sentence1"}, False),
        ({"sentence1", "sentence2", "text"}, False),
        ({"sentence1", "sentence2", "prompt"}, False),
    ],
)
def test_recognises(keys, known):
    assert pair.recognises(frozenset(keys)) == known
