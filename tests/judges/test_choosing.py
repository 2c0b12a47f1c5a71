"""choosing: blind, shuffled by the seed, and every decision on disk at once."""

from __future__ import annotations

import json

import pytest

from instructune.errors import Exit, UserError
from instructune.judges.choosing import Choices, Turn, turns
from instructune.judges.judging import Pair

PAIRS = [Pair(f"r{i}", 0, "q?", None, (f"mine {i}", f"theirs {i}")) for i in range(200)]
SYSTEMS = ("a.jsonl", "b.jsonl")


def test_order_and_sides_depend_on_seed_and_rater_alone():
    found = turns(PAIRS, 0, "ann")
    assert found == turns(PAIRS[::-1], 0, "ann")
    assert sorted(turn.pair for turn in found) == sorted(PAIRS)
    for other in (turns(PAIRS, 1, "ann"), turns(PAIRS, 0, "bob")):
        assert [t.pair.id for t in other] != [t.pair.id for t in found]
        sides = {t.pair.id: t.system_first for t in other}
        assert 60 < sum(sides[t.pair.id] == t.system_first for t in found) < 140
    assert 60 < sum(turn.system_first for turn in found) < 140


def test_order_tells_nothing_about_sides():
    sides = [turn.system_first for turn in turns(PAIRS, 0, "ann")]
    assert 25 < sum(sides[:100]) < 75


@pytest.mark.parametrize("system_first", [True, False])
def test_keys_mean_what_is_shown(system_first):
    turn = Turn(PAIRS[0], system_first)
    shown = turn.shown(3, 9)
    by_text = {"mine 0": "system", "theirs 0": "baseline"}
    assert turn.choice("a") == by_text[shown.a]
    assert turn.choice("b") == by_text[shown.b]
    assert turn.choice("tie") == "tie"
    assert (shown.number, shown.of, shown.question) == (3, 9, "q?")


def test_a_decision_is_a_row_at_once(tmp_path):
    path = tmp_path / "c.jsonl"
    choices = Choices(str(path), SYSTEMS)
    with choices.opened():
        choices.append(PAIRS[0], "ann", "tie")
        choices.append(PAIRS[1], "ann", "baseline", "no answer")
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert choices.rows == 2
    assert rows[0] == {
        "id": "r0",
        "sample": 0,
        "rater": "ann",
        "choice": "tie",
        "systems": list(SYSTEMS),
        "answers": PAIRS[0].fingerprint,
    }
    assert rows[1]["rule"] == "no answer"


def test_what_was_chosen_is_kept_and_a_cut_line_is_not(tmp_path):
    path = tmp_path / "c.jsonl"
    choices = Choices(str(path), SYSTEMS)
    with choices.opened():
        choices.append(PAIRS[0], "ann", "tie")
        choices.append(PAIRS[1], "bob", "system")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    with choices.opened():
        assert path.read_bytes() == whole
        assert choices.rows == 2
        assert set(choices.kept(PAIRS, "ann")) == {("r0", 0)}
        assert set(choices.kept(PAIRS, "eve")) == set()


def test_choices_between_other_answers_are_not_added_to(tmp_path):
    choices = Choices(str(tmp_path / "c.jsonl"), SYSTEMS)
    with choices.opened():
        choices.append(PAIRS[0], "ann", "tie")
    changed = PAIRS[0]._replace(answers=("mine 0", "new"))
    for pairs in ([changed], PAIRS[1:]):
        with choices.opened(), pytest.raises(UserError, match="between other answers") as caught:
            choices.kept(pairs, "ann")
        assert caught.value.code == Exit.CANNOT_CREATE


def test_two_processes_do_not_write_one_file(tmp_path):
    path = tmp_path / "c.jsonl"
    choices = Choices(str(path), SYSTEMS)
    with choices.opened():
        with pytest.raises(UserError) as caught, Choices(str(path), SYSTEMS).opened():
            pass
        assert caught.value.code == Exit.LOCKED
        choices.append(PAIRS[0], "ann", "tie")
    assert path.read_text().count("\n") == 1


def test_a_session_without_a_choice_leaves_no_file(tmp_path):
    path = tmp_path / "c.jsonl"
    with Choices(str(path), SYSTEMS).opened():
        assert path.exists()
    assert not path.exists()
