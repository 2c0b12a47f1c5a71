"""stages/judge: what each setting of `--judge` does, and which do not go together."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from instructune.configs import EvalConfig
from instructune.errors import Exit, UserError
from instructune.stages.judge import ask_person, mode, write_prompts
from instructune.stopping import Stopped
from tests.generating import chat, read_rows

ROWS = [
    chat(f"question {i}", id=f"r{i}") | {"prediction": f"good {i}", "topic": "ab"[i % 2]}
    for i in range(6)
]
BASE = [{"id": row["id"], "prediction": f"bad {i}"} for i, row in enumerate(ROWS)]
BASE[4]["prediction"] = "good 4"
BASE[5]["prediction"] = None


@pytest.fixture
def config(tmp_path, monkeypatch, write):
    """Settings over two files of predictions."""
    monkeypatch.chdir(tmp_path)
    write("a.jsonl", ROWS)
    write("b.jsonl", BASE)

    def config(**settings):
        given = {"predictions": "a.jsonl", "baseline": "b.jsonl", "output": "out.jsonl"}
        return EvalConfig(**(given | settings))

    return config


def human(config, **settings):
    return config(judge=("human",), rater="ann", **settings)


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"judge": ("human", "x.jsonl")}, "--judge"),
        ({"judge": ("ask", "human")}, "--judge"),
        ({"judge": ("ask",), "metric": ("bleu",)}, "--metric"),
        ({"judge": ("x.jsonl",), "metric": ("bleu",)}, "--metric"),
        ({"judge": ("x.jsonl",), "scores": "s.jsonl"}, "--scores"),
        ({"judge": ("x.jsonl",), "seen": ("t.jsonl",)}, "--seen"),
        ({"judge": ("x.jsonl",), "cluster": "topic"}, "--cluster"),
        ({"judge": ("x.jsonl",), "adjust": "bh"}, "--adjust"),
        ({"judge": ("x.jsonl",), "report": "r.html"}, "--report"),
        ({"judge": ("ask",), "allow_code": True}, "--allow-code"),
        ({"judge": ("ask",), "gates": "g.toml"}, "--gates"),
        ({"judge": ("ask",), "junit": "j.xml"}, "--junit"),
        ({"judge": ("ask",), "fail_if": ("win_rate < 1",)}, "--fail-if"),
        ({"judge": ("human",), "by": ("topic",)}, "--by"),
        ({"judge": ("ask",), "resamples": 100}, "--resamples"),
        ({"judge": ("human",), "criteria": "default"}, "--criteria"),
        ({"judge": ("x.jsonl",), "criteria": "default"}, "--criteria"),
        ({"judge": ("ask",), "rater": "ann"}, "--rater"),
        ({"judge": ("x.jsonl",), "rater": "ann"}, "--rater"),
    ],
)
def test_settings_that_would_not_be_read_are_refused(config, settings, where):
    with pytest.raises(UserError) as caught:
        mode(config(**settings))
    assert (caught.value.code, caught.value.where) == (Exit.USAGE, where)


@pytest.mark.parametrize(("name", "meant"), [("humen", "human"), ("Ask", "ask")])
def test_a_misspelt_word_is_no_file(config, name, meant):
    with pytest.raises(UserError, match="no such file") as caught:
        mode(config(judge=(name,), rater="ann"))
    assert (caught.value.where, caught.value.code) == (name, Exit.NO_INPUT)
    assert caught.value.hint == f"did you mean {meant!r}?"


def test_a_file_may_bear_such_a_name(config, write):
    write("humen", [])
    assert mode(config(judge=("humen",))) == "read"


@pytest.mark.parametrize("settings", [{"rater": "ann"}, {"criteria": "default"}])
def test_what_only_a_judge_reads_needs_one(settings):
    (name,) = settings
    with pytest.raises(UserError, match="needs --judge") as caught:
        EvalConfig(**settings)
    assert (caught.value.where, caught.value.code) == (f"--{name}", Exit.USAGE)


def test_a_file_is_read_whatever_it_is_called(config):
    assert mode(config(judge=("./ask", "human.jsonl"))) == "read"


def test_prompts_to_compare(config):
    report = write_prompts(config(judge=("ask",)))
    assert report == {"prompts": 10, "pairs": 6, "settled": 2, "criteria": []}
    rows = read_rows("out.jsonl")
    assert [row["id"] for row in rows[:3]] == ["r0:0:system-first", "r0:0:baseline-first"] + [
        "r1:0:system-first"
    ]
    assert [row["judged"].get("rule") for row in rows[8:]] == ["equal answers", "no answer"]
    manifest = json.loads(Path("out.jsonl.manifest.json").read_bytes())
    assert manifest["rows"] == 10
    assert sorted(manifest["inputs"]) == ["a.jsonl", "b.jsonl"]


@pytest.mark.parametrize(
    ("settings", "prompts"),
    [({"baseline": None}, 6), ({"baseline": None, "criteria": "default"}, 6)]
    + [({"criteria": "default"}, 12)],
)
def test_prompts_to_score(config, settings, prompts):
    report = write_prompts(config(judge=("ask",), **settings))
    assert (report["prompts"], len(report["criteria"])) == (prompts, 3)


def test_references_tell_what_was_asked(config, write):
    write("bare.jsonl", [{"id": row["id"], "prediction": "x"} for row in ROWS])
    with pytest.raises(UserError, match="does not tell what was asked"):
        write_prompts(config(judge=("ask",), predictions="bare.jsonl"))
    write("refs.jsonl", [chat(f"question {i}", f"ref {i}", id=f"r{i}") for i in range(6)])
    write_prompts(config(judge=("ask",), predictions="bare.jsonl", references="refs.jsonl"))
    assert "one acceptable answer, for comparison\nref 0\n" in Path(
        "out.jsonl"
    ).read_text().replace("\\n", "\n")


class Person:
    """Prefers good answers, or does as told."""

    def __init__(self, *keys):
        self.keys, self.seen = list(keys), []

    def __call__(self, shown):
        self.seen.append(shown)
        key = self.keys.pop(0) if self.keys else None
        if isinstance(key, BaseException):
            raise key
        return key or ("a" if shown.a.startswith("good") else "b")


def test_a_person_is_asked_what_is_open_and_chooses_blind(config):
    person = Person()
    assert ask_person(human(config), person) == {"chosen": 4, "of": 4, "skipped": 0}
    rows = {row["id"]: row for row in read_rows("out.jsonl")}
    assert {name: row["choice"] for name, row in rows.items()} == {
        **dict.fromkeys(("r0", "r1", "r2", "r3", "r5"), "system"),
        "r4": "tie",
    }
    assert {name: row.get("rule") for name, row in rows.items() if "rule" in row} == {
        "r4": "equal answers",
        "r5": "no answer",
    }
    assert {row["rater"] for row in rows.values()} == {"ann"}
    for shown in person.seen:
        assert "jsonl" not in repr(shown)
    assert [shown.number for shown in person.seen] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "end", ["quit", KeyboardInterrupt(), Stopped(signal.SIGTERM, "")], ids=["quit", "int", "term"]
)
def test_a_session_goes_on_where_it_was(config, end):
    whole = Person()
    ask_person(human(config, output="whole.jsonl"), whole)
    first, then = Person(None, "skip", None, end), Person()
    if end == "quit":
        ask_person(human(config), first)
    else:
        with pytest.raises(Stopped) as caught:
            ask_person(human(config), first)
        assert caught.value.message == (
            "out.jsonl: 2 of 4 choices are kept; the same command goes on from there"
        )
        assert caught.value.number == (2 if isinstance(end, KeyboardInterrupt) else 15)
    assert json.loads(Path("out.jsonl.manifest.json").read_bytes())["rows"] == 4
    assert ask_person(human(config), then) == {"chosen": 4, "of": 4, "skipped": 0}
    asked = [shown.question for shown in whole.seen]
    assert [shown.question for shown in then.seen] == [asked[1], asked[3]]
    assert sorted(map(str, read_rows("out.jsonl"))) == sorted(map(str, read_rows("whole.jsonl")))
    assert ask_person(human(config), Person(RuntimeError()))["chosen"] == 4  # nobody is asked


def test_another_rater_is_asked_anew_in_another_order(config):
    one, other, seeded = Person(), Person(), Person()
    ask_person(human(config), one)
    ask_person(human(config, seed=5, output="seeded.jsonl"), seeded)
    report = ask_person(config(judge=("human",), rater="bob"), other)
    assert report["chosen"] == 4
    assert {row["rater"] for row in read_rows("out.jsonl")} == {"ann", "bob"}
    plain = [(shown.question, shown.a) for shown in one.seen]
    assert plain != [(shown.question, shown.a) for shown in other.seen]
    assert plain != [(shown.question, shown.a) for shown in seeded.seen]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"baseline": None}, "needs --baseline FILE"),
        ({"rater": None}, "needs --rater NAME"),
        ({"output": "-"}, "needs -o FILE"),
        ({"output": "c.jsonl.gz"}, "needs -o FILE"),
        ({"predictions": None}, "keys come by standard input"),
        ({"baseline": "-"}, "keys come by standard input"),
        ({"output": "a.jsonl"}, "is also an input"),
    ],
)
def test_what_a_session_needs(config, settings, reason):
    with pytest.raises(UserError, match=reason) as caught:
        ask_person(human(config, **settings) if "rater" not in settings else config(**settings), {})
    assert caught.value.code == Exit.USAGE
