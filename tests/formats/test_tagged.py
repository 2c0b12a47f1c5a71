"""tagged: a tag for each token, and a note where entities cannot be as they are."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.formats import tagged


def convert(**row):
    notes: Counter[str] = Counter()
    (made,) = tagged.convert(row, notes)
    return made, notes.total()


@pytest.mark.parametrize(
    ("row", "made"),
    [
        ({"tokens": ["a"], "tags": ["O"]}, {"tokens": ["a"], "tags": ["O"]}),
        ({"tokens": ["a"], "ner_tags": [3]}, {"tokens": ["a"], "tags": ["3"]}),
        ({"tokens": ["a"], "labels": ["NN"]}, {"tokens": ["a"], "tags": ["NN"]}),
        ({"tokens": ["a"]}, {"tokens": ["a"]}),
        (
            {"tokens": ["a"], "ner_tags": [0], "tags": ["O"], "labels": 5},
            {"tokens": ["a"], "tags": ["O"], "ner_tags": [0], "labels": 5},
        ),
    ],
)
def test_convert(row, made):
    assert convert(**row) == (made, 0)


@pytest.mark.parametrize(
    ("tags", "breaks"),
    [
        ("B-X I-X O B-Y", False),
        ("O I-X", True),
        ("B-X I-Y", True),
        ("B-X B-X I-X", False),
        ("I-X", True),
        ("B-X I-X E-X S-Y O", False),
        ("B-X E-X I-X", True),
        ("B-X O S-X", True),
        ("S-X B-X", True),
        ("B-X L-X U-X", False),
        ("B-X M-X E-X", False),
        ("NN I-X", False),  # other tags have no such rules
        ("O O", False),
    ],
)
def test_entities_that_cannot_be_are_kept_and_noted(tags, breaks):
    tags = tags.split()
    made, noted = convert(tokens=["t"] * len(tags), tags=tags)
    assert made["tags"] == tags
    assert noted == breaks


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"tokens": "a b", "tags": []}, "tokens must be a list of strings"),
        ({"tokens": [], "tags": []}, "tokens must be a list of strings"),
        ({"tokens": ["a", "b"], "ner_tags": [1]}, "has 1 ner_tags for 2 tokens"),
        ({"tokens": ["a"], "tags": [None]}, "tags must be a list of tags"),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        convert(**row)


def test_recognises():
    assert tagged.recognises(frozenset({"id", "tokens", "ner_tags"}))
    assert tagged.recognises(frozenset({"text", "tokens", "labels"}))
    assert not tagged.recognises(frozenset({"tokens"}))
    assert not tagged.recognises(frozenset({"tokens", "tags", "head", "tail", "relation"}))
