"""stages/verdicts: verdict files beside predictions or alone, their slices and gates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instructune.configs import EvalConfig
from instructune.errors import Exit, UserError
from instructune.stages.judge import write_prompts
from instructune.stages.verdicts import evaluate_verdicts
from tests.generating import chat, read_rows
from tests.judged import both, choice, scored

ROWS = [
    chat(f"question {i}", id=f"r{i}") | {"prediction": f"good {i}", "topic": "ab"[i % 2]}
    for i in range(8)
]
BASE = [{"id": row["id"], "prediction": f"bad {i}"} for i, row in enumerate(ROWS)]
CHOICES = [choice(f"r{i}", "baseline" if i % 2 else "system") for i in range(8)]


@pytest.fixture
def judge(tmp_path, monkeypatch, write):
    """Read verdicts beside two files of predictions."""
    monkeypatch.chdir(tmp_path)
    write("a.jsonl", ROWS)
    write("b.jsonl", BASE)

    def judge(*names, **settings):
        given = {"predictions": "a.jsonl", "baseline": "b.jsonl", "output": "out.jsonl"}
        return evaluate_verdicts(EvalConfig(judge=names, **(given | {"resamples": 200} | settings)))

    return judge


ALONE = {"predictions": None, "baseline": None}


def test_summaries_go_to_the_output_with_a_manifest(judge, write):
    write("c.jsonl", CHOICES)
    found = judge("c.jsonl")
    (row,) = read_rows("out.jsonl")
    assert row == found.summaries[0]
    assert (row["metric"], row["value"], row["n"], row["n_expected"]) == ("win_rate", 0.5, 8, 8)
    manifest = json.loads(Path("out.jsonl.manifest.json").read_bytes())
    assert sorted(manifest["inputs"]) == ["a.jsonl", "b.jsonl", "c.jsonl"]
    assert found.notes == ["ann: 8 judged"]


def test_what_was_not_judged_is_expected(judge, write):
    write("c.jsonl", CHOICES[:3])
    found = judge("c.jsonl")
    assert [found.summaries[0][key] for key in ("n", "n_expected")] == [3, 8]
    assert found.notes == ["ann: 3 judged", "5 of 8 pairs are still to be judged"]


def test_slices_are_by_rater_and_by_field(judge, write):
    write("c.jsonl", CHOICES)
    write("m.jsonl", [row for i in range(7) for row in both(f"r{i}", "first", "second")])
    found = judge("c.jsonl", "m.jsonl", by=("topic",))
    told = {
        str(row["by"]): (row["value"], row["n"], row["n_expected"])
        for row in found.summaries
        if row["metric"] == "win_rate"
    }
    assert told == {
        "None": ((4 * 1 + 3 * 0.5 + 0) / 8, 8, 8),
        "{'rater': 'ann'}": (0.5, 8, 8),
        "{'rater': 'm.jsonl'}": (1.0, 7, 8),
        "{'topic': 'a'}": (1.0, 4, 4),
        "{'topic': 'b'}": (3 * 0.5 / 4, 4, 4),
    }
    agreed = found.summaries[0]["details"]["agreement"]
    assert agreed["cohen_kappa"] == {"ann, m.jsonl": {"kappa": 0.0, "n": 7}}
    assert "agreement of ann, m.jsonl: kappa 0.000, n 7" in found.notes
    with pytest.raises(UserError, match="no row has the field 'tpoic'") as caught:
        judge("c.jsonl", by=("tpoic",))
    assert caught.value.hint == "did you mean 'topic'?"


def test_unusable_verdicts_are_told(judge, write):
    write("m.jsonl", [*both("r0", "first", "second"), *both("r1", None, "tie")])
    found = judge("m.jsonl")
    assert found.notes[0] == "m.jsonl: 1 judged; unusable verdicts: 1 × no verdict"
    assert found.notes[1] == "first unusable: m.jsonl:3: no verdict in '?'"
    assert found.summaries[0]["details"]["raters"]["m.jsonl"]["unusable"] == {"no verdict": 1}
    assert "judges:m|prompt:w" in found.summaries[0]["signature"]


def test_verdicts_on_other_answers_do_not_count(judge, write):
    """Prompts know what they were about: neither new answers nor swapped sides pass."""
    write_prompts(EvalConfig(predictions="a.jsonl", baseline="b.jsonl", output="p.jsonl"))
    rows = [row | {"prediction": "Verdict: A", "sample": 0} for row in read_rows("p.jsonl")]
    write("m.jsonl", rows)
    assert judge("m.jsonl").summaries[0]["value"] == 0.5
    with pytest.raises(UserError, match="id 'r0' sample 0 was judged on other answers"):
        judge("m.jsonl", predictions="b.jsonl", baseline="a.jsonl", references="a.jsonl")
    write("b.jsonl", [row | {"prediction": "new"} for row in BASE])
    with pytest.raises(UserError, match="was judged on other answers") as caught:
        judge("m.jsonl")
    assert caught.value.where == "m.jsonl:1"
    write("c.jsonl", [choice("nobody", "tie")])
    with pytest.raises(UserError, match="id 'nobody' sample 0 is in none of the predictions"):
        judge("c.jsonl")


def test_verdicts_alone_are_enough(judge, write):
    write("c.jsonl", CHOICES)
    assert judge("c.jsonl", **ALONE).summaries[0]["value"] == 0.5


@pytest.mark.parametrize(
    "settings", [{"baseline": "b.jsonl"}, {"references": "a.jsonl"}, {"by": ("topic",)}]
)
def test_without_predictions_there_is_nothing_to_join(judge, write, settings):
    write("c.jsonl", CHOICES)
    with pytest.raises(UserError, match="needs the predictions as well") as caught:
        judge("c.jsonl", **(ALONE | settings))
    assert caught.value.code == Exit.USAGE


def test_several_systems_are_rated(judge, write):
    for one, other in ("ab", "bc"):
        rows = [row | {"systems": [one, other]} for row in CHOICES[:6]]
        write(f"{one}{other}.jsonl", rows)
    found = judge("ab.jsonl", "bc.jsonl", **ALONE, fail_if=("rating@system=a > 0",))
    told = [(row["metric"], row["by"]) for row in found.summaries]
    assert sorted(str(by) for metric, by in told if metric == "rating") == [
        "{'system': 'a'}",
        "{'system': 'b'}",
        "{'system': 'c'}",
    ]
    assert told[3:] == [
        ("win_rate", {"system": "a", "baseline": "b"}),
        ("win_rate", {"system": "b", "baseline": "c"}),
    ]
    assert found.verdicts[0].fired
    write("de.jsonl", [row | {"systems": ["d", "e"]} for row in CHOICES])
    with pytest.raises(UserError, match="no common rating: a, b, c; d, e"):
        judge("ab.jsonl", "bc.jsonl", "de.jsonl", **ALONE)


def test_scores_by_criteria(judge, write):
    rows = [scored(f"r{i}", "system", f"tone: {1 + i % 5}\nsafe: 1") for i in range(8)]
    write("s.jsonl", rows)
    found = judge("s.jsonl", fail_if=("judge_score_tone.low < 0.9",))
    told = {row["metric"]: row["value"] for row in found.summaries}
    assert told["judge_score_tone"] == (0 + 1 + 2 + 3 + 4 + 0 + 1 + 2) / 4 / 8
    assert told["judge_score_safe"] == 1.0
    assert found.verdicts[0].fired
    other = [scored("r0", "system", "tone: 1\nsafe: 1")]
    other[0]["judged"]["systems"] = ["c.jsonl"]
    write("t.jsonl", other)
    with pytest.raises(UserError, match="scores of several systems are given"):
        judge("s.jsonl", "t.jsonl", **ALONE)


@pytest.mark.parametrize(
    ("gate", "reason"),
    [
        ("accuracy < 1", "expected the name of a metric"),
        ("win_rate@topic=a < 1", "no such slice"),
        ("win_rate@rater=eve < 1", "no row has rater=eve"),
        ("win_rate.p_adjusted < 1", "verdicts have p alone"),
        ("judge_consistency.p < 1", "is not compared with a baseline"),
    ],
)
def test_gates_about_what_is_not_there_are_refused(judge, write, gate, reason):
    write("c.jsonl", CHOICES)
    write("m.jsonl", both("r0", "first", "second"))
    with pytest.raises(UserError, match=reason):
        judge("c.jsonl", "m.jsonl", fail_if=(gate,))
    assert not judge("c.jsonl", "m.jsonl", fail_if=("win_rate.p@rater=ann < 0",)).verdicts[0].fired


def test_gates_of_a_file_and_their_verdicts_for_ci(judge, write):
    write("c.jsonl", CHOICES)
    write("g.toml", '[[gate]]\nname = "better"\nfail-if = "win_rate < 0.6 surely"')
    found = judge("c.jsonl", gates="g.toml", junit="j.xml", undecided="fail")
    assert [(v.gate.name, v.outcome) for v in found.verdicts] == [("better", "undecided")]
    assert 'failures="1"' in Path("j.xml").read_text()


def test_one_system_s_verdicts_need_the_other_one(judge, write):
    write("c.jsonl", CHOICES)
    with pytest.raises(UserError, match="name the other with --baseline"):
        judge("c.jsonl", baseline=None)
