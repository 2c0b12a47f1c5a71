"""judging: pairs of answers as prompts that tell no names, in both orders."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.evaluating.predictions import Answer
from instructune.judges.judgewords import WORDING, Material, pairwise, rubric
from instructune.judges.judging import Pair, comparisons, pairs, scorings, system_names
from instructune.judges.rubrics import load
from tests.generating import chat

SYSTEMS = ("tuned.jsonl", "base.jsonl")


def answered(prediction, references=(), **row):
    return Answer(prediction, list(references), "text", {"id": "a"} | row)


def pair(*answers, name="a", sample=0):
    return Pair(name, sample, "q?", None, answers)


def test_a_pair_is_what_was_asked_and_both_answers():
    mine = answered("x", ["ref", "other"], **chat("q?", "ref"), sample=2)
    assert pairs([mine], [answered("y")]) == [Pair("a", 2, "q?", "ref", ("x", "y"))]
    assert pairs([mine], None) == [Pair("a", 2, "q?", "ref", ("x",))]


@pytest.mark.parametrize(
    ("row", "question"),
    [
        ({"text": "t"}, "t"),
        ({"texts": ["s", "t"]}, "s\nt"),
        ({"tokens": ["a", "b"]}, "a b"),
        (
            {
                "messages": [
                    {"role": "system", "content": "be kind"},
                    {"role": "user", "content": "hi"},
                    {"role": "assistant", "content": "reference"},
                ]
            },
            "[system]\nbe kind\n\n[user]\nhi",
        ),
    ],
)
def test_what_was_asked(row, question):
    assert pairs([answered(["x"], **row)], None)[0].question == question
    assert pairs([answered(["x"], **row)], None)[0].answers == ('["x"]',)


def test_a_row_that_does_not_tell_what_was_asked_is_refused():
    with pytest.raises(UserError, match="id 'a' does not tell what was asked") as caught:
        pairs([answered("x")], None)
    assert "--references" in caught.value.hint


@pytest.mark.parametrize(
    ("answers", "settled"),
    [
        (("x", "y"), None),
        ((" x", "x\n"), ("tie", "equal answers")),
        ((None, "y"), ("baseline", "no answer")),
        (("x", None), ("system", "no answer")),
        ((None, None), ("tie", "no answer")),
        (("", "y"), None),
    ],
)
def test_what_needs_no_judge(answers, settled):
    assert pair(*answers).settled == settled


def test_each_order_is_asked_once_and_no_name_is_told():
    one, other = comparisons([pair("mine", "theirs", sample=3)], SYSTEMS)
    about = {
        "id": "a",
        "sample": 3,
        "systems": list(SYSTEMS),
        "answers": pair("mine", "theirs").fingerprint,
        "wording": WORDING,
    }
    assert one == {
        "id": "a:3:system-first",
        "messages": [
            {"role": "user", "content": pairwise(Material("q?", None, ("mine", "theirs")))}
        ],
        "judged": about | {"first": "system"},
    }
    assert other["judged"] == about | {"first": "baseline"}
    assert other["messages"][0]["content"] == pairwise(Material("q?", None, ("theirs", "mine")))
    for record in (one, other):
        for name in (*SYSTEMS, "system", "baseline"):
            assert name not in record["messages"][0]["content"]


def test_what_is_settled_is_one_short_row():
    (row,) = comparisons([pair(None, "y")], SYSTEMS)
    assert row["id"] == "a:0:settled"
    assert (row["judged"]["choice"], row["judged"]["rule"]) == ("baseline", "no answer")
    assert len(row["messages"][0]["content"]) < 100


def test_scores_are_asked_for_each_answer():
    criteria = load("default")
    mine, theirs = scorings([pair("x", None)], SYSTEMS, criteria)
    assert mine["messages"][0]["content"] == rubric(Material("q?", None, ("x",)), criteria)
    scales = {"helpfulness": [1, 10], "correctness": [1, 10], "constraints": [1, 10]}
    assert (mine["judged"]["of"], mine["judged"]["criteria"]) == ("system", scales)
    assert (theirs["judged"]["of"], theirs["judged"]["rule"]) == ("baseline", "no answer")
    assert [row["id"] for row in scorings([pair("x")], SYSTEMS[:1], criteria)] == ["a:0:system"]


def test_the_fingerprint_knows_answers_and_their_sides():
    assert pair("x", "y").fingerprint == pair("x", "y", name="b").fingerprint
    others = [pair("y", "x"), pair("x", None), pair("x"), pair("x", "y ")]
    assert pair("x", "y").fingerprint not in {other.fingerprint for other in others}


def test_systems_are_called_after_their_files():
    assert system_names("runs/a/p.jsonl", "runs/b/p.jsonl") == ("runs/a/p.jsonl", "runs/b/p.jsonl")
    assert system_names("/home/me/p.jsonl", None) == ("p.jsonl",)
    with pytest.raises(UserError, match="both files would be called 'p.jsonl'") as caught:
        system_names("/a/p.jsonl", "/b/p.jsonl")
    assert caught.value.code == Exit.USAGE
