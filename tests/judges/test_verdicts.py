"""verdicts: two orders make one choice, and what is no verdict is counted, never guessed."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.judges.verdicts import CUT, FAILED, UNPARSEABLE, read_verdicts
from tests.judged import both, choice, half, scored


@pytest.mark.parametrize(
    ("one", "other", "chosen"),
    [
        ("first", "second", "system"),
        ("second", "first", "baseline"),
        ("tie", "tie", "tie"),
        ("first", "first", "tie"),  # whoever stands first
        ("second", "second", "tie"),
        ("first", "tie", "tie"),
        ("tie", "first", "tie"),
    ],
)
def test_both_orders_must_agree_on_a_winner(write, one, other, chosen):
    for rows in (both("x", one, other), both("x", one, other)[::-1]):
        (found,) = read_verdicts([write("v.jsonl", rows)]).judgements
        assert found.choice == chosen
        assert found.rater.endswith("v.jsonl")
    sides = {"first": ("system", "baseline"), "second": ("baseline", "system"), "tie": ("tie",) * 2}
    assert found.orders == (sides[one][0], sides[other][1])


def test_what_is_no_verdict_is_counted(write):
    rows = [*both("a", "first", "second"), *both("b", None, "second"), *both("c", None, None)]
    rows += [half("d", "system", "first"), half("e", "system", "first")]
    rows += [half("e", "baseline", None, prediction=None, finish_reason="error", error="too long")]
    path = write("v.jsonl", rows)
    found = read_verdicts([path])
    assert [j.choice for j in found.judgements] == ["system", None, None, None, None]
    assert found.unusable == {"v.jsonl": {UNPARSEABLE: 3, FAILED: 1, CUT: 1}}
    assert found.first == f"{path}:3: no verdict in '?'"


def test_nothing_but_unusable_verdicts_is_no_score(write):
    rows = [*both("a", None, "first"), choice("b", "tie", rule="equal answers")]
    with pytest.raises(UserError, match="none of 1 verdicts is usable, first .*:1: no verdict"):
        read_verdicts([write("v.jsonl", rows)])


def test_rules_decide_without_the_judge(write):
    row = half("x", "system", "first")
    row["judged"] |= {"choice": "baseline", "rule": "no answer"}
    (found,) = read_verdicts([write("v.jsonl", [row])]).judgements
    assert (found.choice, found.rule, found.orders) == ("baseline", "no answer", None)


def test_choices_of_people_and_of_any_tool(write):
    bare = {"id": "y", "rater": "bob", "choice": "tie"}
    one, other = read_verdicts([write("c.jsonl", [choice("x", "system"), bare])]).judgements
    assert (one.key, one.rater, one.choice) == (("x", 0), "ann", "system")
    assert one.systems == ("a.jsonl", "b.jsonl")
    assert (other.key, other.systems) == (("y", 0), ("system", "baseline"))


def test_each_draw_of_a_judge_is_a_rater_of_its_own(write):
    rows = both("x", "first", "second") + [
        row | {"sample": 1} for row in both("x", "second", "first")
    ]
    found = read_verdicts([write("v.jsonl", rows)])
    assert {j.rater: j.choice for j in found.judgements} == {
        "v.jsonl": "system",
        "v.jsonl sample 1": "baseline",
    }


def test_scores_become_shares_of_their_scale(write):
    rows = [
        scored("x", "system", "tone: 2\nsafe: 1"),
        scored("x", "baseline", "tone: 6\nsafe: 1"),
        scored("y", "system", "?", rule="no answer"),
    ]
    found = read_verdicts([write("s.jsonl", rows)])
    assert [(j.role, j.scores) for j in found.judgements] == [
        ("system", {"tone": 0.25, "safe": 1.0}),
        ("baseline", None),
        ("system", {"tone": 0.0, "safe": 0.0}),
    ]
    assert found.criteria == {"tone": (1, 5), "safe": (0, 1)}
    assert found.unusable == {"s.jsonl": {UNPARSEABLE: 1}}


def broken(**changes):
    row = half("x", "system", "first")
    row["judged"] = row["judged"] | changes
    return row


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"id": "x", "prediction": "yes"}, "has no rater"),
        (choice("x", "left"), "choice must be system, baseline, tie, got 'left'"),
        (choice(3, "tie"), "needs an id, a string"),
        (choice("x", "tie", systems=["a", "a"]), "systems must be two names"),
        (choice("x", "tie", systems="ab"), "systems must be the names"),
        ({"judged": "x"}, "judged must be an object"),
        ({"judged": {"id": "x"}}, "a prompt that nobody answered"),
        (broken(first="left"), "judged.first must be system or baseline"),
        (broken(rule="r", choice="left"), "judged.choice must be"),
        (broken(criteria={}, of="system"), "judged.criteria must be"),
        (broken(criteria={"a": [1, 0]}, of="system"), "judged.criteria must be"),
        (broken(criteria={"a": [0, 1]}, of="left"), "judged.of must be"),
    ],
)
def test_a_bad_row_stops_with_its_place(write, row, reason):
    path = write("v.jsonl", [choice("first", "tie"), row])
    with pytest.raises(UserError, match=reason) as caught:
        read_verdicts([path])
    assert caught.value.where == f"{path}:2"


def test_nobody_judges_a_pair_twice(write):
    one, other = write("1.jsonl", [choice("x", "tie")]), write("2.jsonl", [choice("x", "system")])
    with pytest.raises(UserError, match=r"judged a second time by 'ann', first at .*1.jsonl:1"):
        read_verdicts([one, other])
    with pytest.raises(UserError, match="a second time with that order"):
        read_verdicts([write("3.jsonl", [half("x", "system", "tie")] * 2)])


def test_comparisons_and_scores_are_not_mixed(write):
    rows = [choice("x", "tie"), scored("x", "system", "tone: 2\nsafe: 1")]
    with pytest.raises(UserError, match="some verdicts compare answers and some score them"):
        read_verdicts([write("v.jsonl", rows)])
    other = scored("y", "system", "tone: 2\nsafe: 1", criteria={"tone": [0, 1]})
    with pytest.raises(UserError, match="judged by other criteria"):
        read_verdicts([write("w.jsonl", [rows[1], other])])


def test_an_empty_file_is_no_verdict(write):
    with pytest.raises(UserError, match="no verdicts"):
        read_verdicts([write("v.jsonl", "\n")])
