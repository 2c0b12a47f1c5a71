"""record: what prepare wrote, as it is."""

from __future__ import annotations

import pytest

from instructune.formats import record


def test_a_record_is_the_row_itself():
    row = {"origin": "f:1", "x": 1, "id": "a", "text": "t"}
    assert record.convert(row) == [row]


@pytest.mark.parametrize(
    ("keys", "known"),
    [
        ({"id", "origin", "messages"}, True),
        ({"id", "origin", "text", "label", "whatever"}, True),
        ({"id", "origin", "tokens", "tags"}, True),
        ({"id", "origin"}, False),
        ({"id", "origin", "conversations"}, False),
        ({"id", "origin", "messages", "text"}, False),
        ({"id", "messages"}, False),
        ({"origin", "messages"}, False),
    ],
)
def test_recognises(keys, known):
    assert record.recognises(frozenset(keys)) == known
