"""rowwork: a block's rows to their outcome, each accounted for, in order."""

from __future__ import annotations

import json
from collections.abc import Callable

from instructune.jsonl import BadRow, Encoded
from instructune.reading.blocks import Block
from instructune.reading.conversion import Converter
from instructune.reading.rowwork import Outcome, Remembered, RowWork
from instructune.reading.steps import Steps
from instructune.reading.workers import outcomes


def block(*rows: object) -> Block:
    return Block("f", b"".join(json.dumps(row).encode() + b"\n" for row in rows))


def work(steps: Steps | None = None, *explain: str) -> Callable[[Block], Outcome]:
    steps = steps or Steps()
    do, memory = RowWork(Converter(None, {}), "own", steps, explain), Remembered(steps)
    return lambda block: next(outcomes(iter([block]), do, memory, 1))


def test_records_bad_rows_and_counts():
    do = work()
    squad = {"context": "c", "qas": [{"id": n, "question": f"{n}?", "answers": []} for n in "xy"]}
    rows = [{"text": "a", "id": "x"}, 5, {"text": "b", "id": "x"}, {"text": " "}, squad]
    outcome = do(block(*rows))
    good = [made for made in outcome.made if not isinstance(made, BadRow)]
    bad = [(made.where, made.reason) for made in outcome.made if isinstance(made, BadRow)]
    assert [(made["id"], made["origin"]) for made in good] == [("x", "f:1"), ("y", "f:5")]
    repeated = "id 'x' is repeated (--id hash or --id prefix makes new ones)"
    assert bad == [
        ("f:2", "not a JSON object but a number"),
        ("f:3", repeated),
        ("f:4", "text is empty"),
        ("f:5", repeated),
    ]
    assert json.loads(outcome.made[-2].text)["id"] == "x"  # of two records the one
    tally = outcome.tally
    assert (tally.rows_in, tally.out, tally.added.total()) == (5, 2, 1)
    assert tally.formats == {"text": 1, "squad": 1}


def test_ids_are_remembered_from_block_to_block():
    do = work()
    names = []
    for _ in range(2):
        names += [made["id"] for made in do(block({"text": "a"}, {"text": "a"})).made]
    assert names == [names[0], *(f"{names[0]}-{n}" for n in (2, 3, 4))]


def test_what_is_dropped_and_what_is_explained():
    steps = Steps(["clean"], ["duplicates", "length:max_prompt_words=2"])
    do = work(steps, "2", "4")
    texts = ["a", "A ", "b c d", "b\r\nc", "a"]
    rows = [{"id": str(n), "text": text} for n, text in enumerate(texts, 1)]
    one, two = do(block(*rows[:3])), do(block(*rows[3:]))
    assert [made["id"] for made in one.made + two.made] == ["1", "4"]
    assert [(row["id"], row["dropped"]) for row in one.dropped + two.dropped] == [
        ("2", "duplicate"),
        ("3", "prompt longer than 2 words"),
        ("5", "duplicate"),
    ]
    assert two.dropped[0]["duplicate_of"] == "1"
    assert one.tally.dropped == {"duplicate": 1, "prompt longer than 2 words": 1}
    assert one.tally.rows_in == one.tally.out + one.tally.dropped.total() == 3
    ((step, drop),) = one.explained.values()
    assert (step.step, step.before["text"], step.after[0]["text"]) == ("clean", "A ", "A")
    assert (drop.step, drop.reason) == ("duplicates", "duplicate")
    assert [change.step for change in two.explained["4"]] == ["clean"]


def test_an_encoded_outcome_holds_the_same():
    do = work()
    outcome = do(block({"text": "漢", "id": "1", "n": 2**70}, 5))
    outcome.encode()
    bad, line = outcome.made
    assert line == Encoded(
        '{"id":"1","text":"漢","n":1180591620717411303424,"origin":"f:1"}'.encode()
    )
    assert isinstance(bad, BadRow)
