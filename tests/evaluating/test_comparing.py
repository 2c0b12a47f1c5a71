"""Two prediction files side by side: what differs, and which side is right."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating.comparing import Answered, compare


def row(name: str, prediction: Any, *, answer: str | None = "yes", **more: Any) -> dict[str, Any]:
    messages = [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "hm"},
        {"role": "user", "content": f"is {name}?"},
    ]
    if answer is not None:
        messages.append({"role": "assistant", "content": answer})
    return {"id": name, "messages": messages, "sample": 0, "prediction": prediction} | more


BEFORE = [
    row("same", "yes"),
    row("both-wrong", "no"),
    row("gained", "no"),
    row("lost", " yes\n"),
    row("both-right", "yes"),
    row("failed", None, finish_reason="error", error="too long"),
    row("only-before", "x"),
]
AFTER = [
    row("failed", "yes"),
    row("both-right", "yes "),
    row("lost", "no"),
    row("only-after", "x"),
    row("gained", "yes"),
    row("both-wrong", "nope"),
    row("same", "yes"),
]


def test_rows_of_which_one_side_is_right_come_first(write):
    found = compare(write("after.jsonl", AFTER), write("before.jsonl", BEFORE), 10)
    assert [shown.id for shown in found.shown] == [
        "failed",
        "lost",
        "gained",
        "both-right",
        "both-wrong",
    ]
    assert found[:5] == (6, 5, 2, 1, 2)
    first, lost = found.shown[:2]
    assert first.question == "is failed?"
    assert first.references == ["yes"]
    assert first.before == Answered(None, "too long", False)
    assert first.after == Answered("yes", None, True)
    assert (lost.before.right, lost.after.right) == (True, False)


def test_no_more_than_the_limit_are_shown(write):
    found = compare(write("after.jsonl", AFTER), write("before.jsonl", BEFORE), 2)
    assert ([shown.id for shown in found.shown], found.different) == (["failed", "lost"], 5)


def test_samples_are_joined_by_number(write):
    before = [row("a", "x", sample=0), row("a", "y", sample=1)]
    after = [row("a", "y", sample=1), row("a", "z", sample=0)]
    (shown,) = compare(write("after.jsonl", after), write("before.jsonl", before), 5).shown
    assert (shown.sample, shown.before.prediction, shown.after.prediction) == (0, "x", "z")


def test_without_references_no_side_is_right(write):
    before = [row("a", "x", answer=None), {"id": "t", "text": "Once", "prediction": "upon"}]
    after = [row("a", None, answer=None), {"id": "t", "text": "Once", "prediction": "more"}]
    found = compare(write("after.jsonl", after), write("before.jsonl", before), 5)
    assert [shown.after for shown in found.shown] == [
        Answered(None, "no answer", None),
        Answered("more", None, None),
    ]
    assert [shown.question for shown in found.shown] == ["is a?", "Once"]
    assert (found.gained, found.lost) == (0, 0)


def test_references_may_be_lists_and_stand_in_one_file_only(write):
    before = [{"id": "a", "prediction": ["x"]}, {"id": "b", "prediction": 2}]
    after = [
        {"id": "a", "prediction": ["y", "z"], "label": ["y", "z"], "texts": ["p", "q"]},
        {"id": "b", "prediction": 3, "references": [2, 2.5]},
    ]
    found = compare(write("after.jsonl", after), write("before.jsonl", before), 5).shown
    assert [(d.before.right, d.after.right) for d in found] == [(False, True), (True, False)]
    assert [d.question for d in found] == ["p | q", ""]


def test_rows_that_are_odd_are_still_shown(write):
    before = [{"id": "a", "prediction": "x", "messages": "what"}]
    after = [{"id": "a", "prediction": "y", "messages": [{"role": "user"}], "references": "z"}]
    (shown,) = compare(write("after.jsonl", after), write("before.jsonl", before), 5).shown
    assert (shown.question, shown.references) == ("", [])


@pytest.mark.parametrize(
    ("content", "code"), [("", Exit.BAD_DATA), ('{"id": "a"}\n', Exit.BAD_DATA)]
)
def test_files_that_are_no_predictions_are_refused(write, content, code):
    with pytest.raises(UserError) as caught:
        compare(write("after.jsonl", AFTER), write("before.jsonl", content), 5)
    assert caught.value.code == code
    assert "before.jsonl" in caught.value.where


def test_both_sides_cannot_come_by_one_pipe():
    with pytest.raises(UserError, match="only once") as caught:
        compare("-", "-", 5)
    assert caught.value.code == Exit.USAGE


def test_files_with_no_id_in_common_are_refused(write):
    one = write("a.jsonl", [{"id": "a", "prediction": "x"}])
    other = write("b.jsonl", [{"id": "b", "prediction": "x"}])
    with pytest.raises(UserError, match="no id is in .*b.jsonl as well") as caught:
        compare(one, other, 5)
    assert caught.value.code == Exit.BAD_DATA
