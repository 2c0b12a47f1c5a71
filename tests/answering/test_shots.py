"""shots: which examples are shown before a question, and how."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from instructune.answering.shots import Shots
from instructune.errors import UserError
from instructune.records import Record


def chat(number: int, asked: str, answer: str = "", system: str = "") -> Record:
    turns = [{"role": "system", "content": system}] * bool(system)
    turns += [{"role": "user", "content": asked}]
    turns += [{"role": "assistant", "content": answer}] * bool(answer)
    return Record({"id": str(number), "messages": turns, "origin": f"f:{number}"})


EXAMPLES = [
    chat(1, "is a cat an animal", "yes", system="Be brief."),
    chat(2, "is a stone an animal", "no"),
    chat(3, "is a dog an animal", "yes"),
    chat(4, "does a fish swim", "yes"),
    chat(5, "does a stone swim", "no"),
]


def shown(record: Record, count: int, choice: str, seed: int = 0) -> list[str]:
    """What stands before the question, turn by turn."""
    asked = Shots(EXAMPLES, count, choice, seed).before(record)
    assert asked["messages"][-1] == record["messages"][-1]
    return [turn["content"] for turn in asked["messages"][:-1]]


def test_the_first_ones_behind_the_system_turn():
    question = chat(9, "is a bee an animal", system="Think.")
    assert shown(question, 2, "fixed") == [
        "Think.",
        "is a cat an animal",
        "yes",
        "is a stone an animal",
        "no",
    ]
    asked = Shots(EXAMPLES, 1, "fixed", 0).before(question)["messages"]
    assert [turn["role"] for turn in asked] == ["system", "user", "assistant", "user"]


def test_the_nearest_last():
    assert shown(chat(9, "does a dog swim"), 2, "nearest")[::2] == [
        "does a stone swim",
        "does a fish swim",
    ]


def test_the_question_itself_is_never_shown():
    found = shown(chat(9, "Is a  CAT an animal"), 4, "nearest")
    assert "is a cat an animal" not in found
    assert len(found) == 8


def test_draws_are_the_rows_own():
    question = chat(9, "is a bee an animal")
    drawn = shown(question, 2, "random")
    assert drawn == shown(question, 2, "random")
    others = {tuple(shown(chat(i, "is a bee an animal"), 2, "random")) for i in range(20)}
    assert len(others) >= 8
    seeds = {tuple(shown(question, 2, "random", seed)) for seed in range(20)}
    assert len(seeds) >= 8


def test_as_many_of_each_answer():
    for i in range(10):
        answers = Counter(shown(chat(i, "is a bee an animal"), 4, "balanced")[1::2])
        assert answers == {"yes": 2, "no": 2}
    assert Counter(shown(chat(1, "bee"), 5, "balanced")[1::2]) == {"yes": 3, "no": 2}


def test_texts_with_labels():
    rows = [Record({"id": n, "text": n * 2, "label": n.upper()}) for n in "ab"]
    asked = Shots(rows, 2, "fixed", 0).before(Record({"id": "c", "texts": ["c", "d"], "n": 1}))
    assert asked == {"id": "c", "n": 1, "text": "aa\nA\n\nbb\nB\n\nc\nd\n"}
    tags = Record({"id": "t", "tokens": ["x", "y"], "tags": ["O", "B-Ä"]})
    assert Shots([tags], 1, "fixed", 0).examples[0].answer == '["O", "B-Ä"]'


@pytest.mark.parametrize(
    ("rows", "count", "reason"),
    [
        ([chat(7, "open")], 1, "f:7: has no answer to show"),
        (EXAMPLES, 6, "--shots: needs 6 examples, the file has 5"),
    ],
)
def test_what_cannot_be_shown(rows, count, reason):
    with pytest.raises(UserError, match=reason):
        Shots(rows, count, "fixed", 0)


def test_the_order_of_examples_decides_nothing_but_the_fixed():
    question = chat(9, "does a fish walk")
    for order in itertools.islice(itertools.permutations(EXAMPLES), 0, 120, 17):
        asked = Shots(order, 1, "nearest", 0).before(question)
        assert asked["messages"][0]["content"] == "does a fish swim"
