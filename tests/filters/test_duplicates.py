"""duplicates: which rows of a cluster go, and the id of the one that stays."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.errors import UserError
from instructune.filters.duplicates import Filter, Options
from instructune.reading.spool import Spool
from instructune.records import Record


def chat(prompt: str, answer: str) -> dict[str, Any]:
    turns = [("user", prompt), ("assistant", answer)]
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


ROWS = [
    chat("Name a colour.", "Red"),
    chat("name  a COLOUR.", "red"),
    chat("Name a colour.", "Dark blue"),
    chat("Name one more colour for me, please, of all that there are", "Dark blue"),
    chat("Name one more colour for me, please, of all that there is", "Dark blue"),
    {"text": "Name a colour.", "label": "Red"},
]


def drop(rows: list[dict[str, Any]] = ROWS, **options: Any) -> dict[int, tuple[str, int]]:
    """Reason and number of the row that stays, by number."""
    found = Filter(Options(**options))
    with Spool() as spool:
        for number, row in enumerate(rows):
            record = Record({"id": str(number)} | row)
            spool.append(record)
            found.see(found.glean([record]))
        return {
            number: (str(reason), int(reason.facts["duplicate_of"]))
            for number, reason in found.reasons(spool).items()
        }


EQUAL, NEAR = "duplicate", "near duplicate"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {1: (EQUAL, 0), 5: (EQUAL, 0)}),
        ({"on": "prompt"}, {1: (EQUAL, 0), 2: (EQUAL, 0), 5: (EQUAL, 0)}),
        ({"on": "answer"}, {1: (EQUAL, 0), 5: (EQUAL, 0), 3: (EQUAL, 2), 4: (EQUAL, 2)}),
        (
            {"on": "prompt", "keep": "longest"},
            {0: (EQUAL, 2), 1: (EQUAL, 2), 5: (EQUAL, 2)},
        ),
        # 9 trigrams of 15 are shared: those that do not hold "are" or "is"
        ({"near": 0.6}, {1: (EQUAL, 0), 5: (EQUAL, 0), 4: (NEAR, 3)}),
        ({"near": 0.61}, {1: (EQUAL, 0), 5: (EQUAL, 0)}),
    ],
)
def test_who_goes(options, expected):
    assert drop(**options) == expected


def test_a_near_cluster_of_equal_rows_names_the_one_that_stays():
    rows = [chat("a b c d e f g h i j", "x"), chat("a b c d e f g h i j", "x y z")]
    rows += [rows[0], rows[1]]
    expected = {0: (NEAR, 1), 2: (NEAR, 1), 3: (EQUAL, 1)}
    assert drop(rows, near=0.6, keep="longest") == expected


def test_near_duplicates_are_told_how_near():
    found = Filter(Options(near=0.6))
    with Spool() as spool:
        for number, row in enumerate(ROWS):
            record = Record({"id": str(number)} | row)
            spool.append(record)
            found.see(found.glean([record]))
        facts = {number: reason.facts for number, reason in found.reasons(spool).items()}
    assert facts[4] == {"duplicate_of": "3", "jaccard": 0.6}
    assert facts[1] == {"duplicate_of": "0"}


def test_nothing_twice():
    assert drop(ROWS[2:4]) == {}
    assert drop([]) == {}


@pytest.mark.parametrize(
    ("options", "message"), [({"near": 0.1}, "from 0.3 to 1"), ({"ngram": 0}, "at least 1")]
)
def test_wrong_options(options, message):
    with pytest.raises(UserError, match=message):
        Options(**options)


def test_the_first_of_equal_rows_is_told_as_they_come():
    found = Filter(Options())
    assert not found.whole
    records = [Record({"id": str(number)} | row) for number, row in enumerate(ROWS)]
    keys = [found.key(record) for record in records]
    reasons = found.answer(keys[:1]) + found.answer(keys[1:])  # however the rows are cut
    stays = [reason and int(reason.facts["duplicate_of"]) for reason in reasons]
    assert stays == [None, 0, None, None, None, 0]
    assert found.answer(keys[:1]) == [None]
    assert Filter(Options(near=0.5)).whole
    assert Filter(Options(keep="longest")).whole
