"""xtuner: pairs of input and output, a system prompt where one is given."""

from __future__ import annotations

import pytest

from instructune.formats import xtuner


def test_convert():
    turns = [{"system": "s", "input": "1", "output": "2"}, {"input": "3", "output": "4"}]
    (made,) = xtuner.convert({"conversation": [*turns, {"input": "5", "output": None}]})
    assert [(turn["role"][0], turn["content"]) for turn in made["messages"]] == [
        *(("s", "s"), ("u", "1"), ("a", "2"), ("u", "3"), ("a", "4"), ("u", "5"))
    ]
    with pytest.raises(ValueError, match="conversation must be a list of objects"):
        xtuner.convert({"conversation": ["x"]})


def test_recognises():
    assert xtuner.recognises(frozenset({"conversation", "id"}))
    assert not xtuner.recognises(frozenset({"conversation", "messages"}))
