"""classification: classes are text, whatever a table or a JSON row spells them as."""

from __future__ import annotations

import pytest

from instructune.formats import classification


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"text": "t", "label": "pos"}, {"text": "t", "label": "pos"}),
        ({"text": "t", "category": "pos"}, {"text": "t", "label": "pos"}),
        ({"text": "t", "intent": "pos"}, {"text": "t", "label": "pos"}),
        ({"text": "t", "class": "pos"}, {"text": "t", "label": "pos"}),
        ({"text": "t", "label": 1}, {"text": "t", "label": "1"}),
        ({"text": "t", "label": 0}, {"text": "t", "label": "0"}),
        ({"text": "t", "label": True}, {"text": "t", "label": "true"}),
        ({"text": "t", "label": ["a", 2]}, {"text": "t", "label": ["a", "2"]}),
        ({"text": "t", "label": []}, {"text": "t", "label": []}),
        ({"text": "t", "label": None}, {"text": "t"}),
        (
            {"text": "t", "category": "c", "label": "l", "class": 3},
            {"text": "t", "label": "l", "category": "c", "class": 3},
        ),
    ],
)
def test_convert(row, made):
    assert classification.convert(row) == [made]


@pytest.mark.parametrize("label", [0.5, "", {"a": 1}, [["a"]]])
def test_what_is_no_class_is_told(label):
    with pytest.raises(ValueError, match="label must be a class, .*--format regression"):
        classification.convert({"text": "t", "label": label})


def test_missing_and_wrong_columns():
    with pytest.raises(KeyError, match="label"):
        classification.convert({"text": "t"})
    with pytest.raises(ValueError, match="text must be a string"):
        classification.convert({"text": 5, "label": "a"})


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"text", "label"}, True),
        ({"text", "category", "index_id"}, True),
        ({"text"}, False),
        ({"label"}, False),
        ({"text", "label", "prompt"}, False),
        ({"text", "tokens", "tags", "label"}, False),
        ({"text", "label", "entities", "relations"}, False),
    ],
)
def test_recognises(keys, known):
    assert classification.recognises(frozenset(keys)) == known
