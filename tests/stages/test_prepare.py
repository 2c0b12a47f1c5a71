"""stages.prepare: what is written for which rows, to the byte."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instructune import __version__
from instructune.configs import PrepareConfig
from instructune.errors import Exit, UserError
from instructune.reading.rowwork import Outcome
from instructune.reading.tally import Tally
from instructune.records import Record, fault
from instructune.stages.prepare import prepare

ROWS = [
    {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "n": 1},
    {"instruction": "i", "input": "x", "output": "o", "id": 7},
    {"text": "t", "split": 3},
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_records_and_manifest_to_the_byte(here, write):
    write("in.jsonl", ROWS)
    tally = prepare(PrepareConfig(sources=("in.jsonl",), output="out.jsonl")).tally
    lines = [
        '{"id":"09c2a9741d29f414","messages":[{"role":"user","content":"q"},'
        '{"role":"assistant","content":"a"}],"n":1,"origin":"in.jsonl:1"}',
        '{"id":"7","messages":[{"role":"user","content":"i\\nx"},'
        '{"role":"assistant","content":"o"}],"origin":"in.jsonl:2"}',
        '{"id":"4a301cd0081b3590","text":"t","fields":{"split":3},"origin":"in.jsonl:3"}',
    ]
    written = Path("out.jsonl").read_bytes()
    assert written.decode().splitlines() == lines
    counts = {
        "rows_in": 3,
        "out": 3,
        "formats": {"messages": 1, "alpaca": 1, "text": 1},
        "notes": {"column 'split' kept as fields.split": 1},
    }
    assert tally.as_dict() == counts
    assert json.loads(Path("out.jsonl.manifest.json").read_bytes()) == {
        "artifact": "out.jsonl",
        "sha256": hashlib.sha256(written).hexdigest(),
        "rows": 3,
        "config": {
            "sources": ["in.jsonl"],
            "output": "out.jsonl",
            "container": None,
            "encoding": None,
            "format": None,
            "field": [],
            "id": "own",
            "transform": [],
            "filter": [],
            "against": [],
            "ask": None,
            "accept": False,
            "known": [],
            "template": [],
            "mix": [],
            "mix_by": "rows",
            "mix_total": None,
            "balance": None,
            "split": None,
            "exact": False,
            "seed": 0,
            "explain": [],
            "bad_rows": "fail",
            "rejects": None,
            "dropped": None,
            "report": None,
            "model": None,
            "manifest": None,
        },
        "inputs": {"in.jsonl": hashlib.sha256(Path("in.jsonl").read_bytes()).hexdigest()},
        "versions": {"instructune": __version__},
        "counts": counts,
    }
    assert str(here) not in Path("out.jsonl.manifest.json").read_text()


def test_a_bad_row_leaves_an_older_output_and_no_temporary(here, write, temporaries):
    write("in.jsonl", [*ROWS, {"text": ""}])
    write("out.jsonl", b"old")
    with pytest.raises(UserError, match=r"in\.jsonl:4: text is empty"):
        prepare(PrepareConfig(sources=("in.jsonl",), output="out.jsonl"))
    assert Path("out.jsonl").read_bytes() == b"old"
    assert sorted(os.listdir()) == ["in.jsonl", "out.jsonl"]
    assert temporaries() == []


def quarantine(**more) -> PrepareConfig:
    return PrepareConfig(
        sources=("in.jsonl",),
        output="out.jsonl",
        bad_rows="quarantine",
        rejects="bad.jsonl",
        **more,
    )


def test_quarantine_writes_both_files(here, write):
    write("in.jsonl", b'{"text":"a"}\n{"text":  ""}\n\n\xff\n{"text":"b"}\n')
    tally = prepare(quarantine()).tally
    assert Path("out.jsonl").read_bytes().count(b"\n") == 2
    assert [json.loads(line) for line in Path("bad.jsonl").read_bytes().splitlines()] == [
        {"where": "in.jsonl:2", "reason": "text is empty", "text": '{"text":  ""}'},
        {
            "where": "in.jsonl:4",
            "reason": "not UTF-8 (byte 0xff at offset 0)",
            "text": "\\xff",
        },
    ]
    assert (tally.rows_in, tally.out, tally.rejected.total(), tally.blank) == (4, 2, 2, 1)


def test_quarantine_of_everything_writes_nothing(here, write):
    write("in.jsonl", "x\ny\n")
    with pytest.raises(UserError, match="2 bad rows in all"):
        prepare(quarantine())
    assert os.listdir() == ["in.jsonl"]


def test_clean_rows_leave_an_empty_rejects_file(here, write):
    write("in.jsonl", ROWS)
    prepare(quarantine())
    assert Path("bad.jsonl").read_bytes() == b""


def test_numbers_that_do_not_add_up_are_a_bug_and_no_output(here, write, monkeypatch):
    def forgetful(names, reading, tally, *rest, **how):
        tally.rows_in, tally.out = 2, 1
        yield Outcome("in.jsonl", [Record({"id": "1", "text": "t"})], [], {}, Tally())

    write("in.jsonl", ROWS)
    monkeypatch.setattr("instructune.stages.prepare.read_outcomes", forgetful)
    with pytest.raises(AssertionError, match="rows lost"):
        prepare(PrepareConfig(sources=("in.jsonl",), output="out.jsonl"))
    assert os.listdir() == ["in.jsonl"]


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"output": "in.jsonl"}, 2),
        ({"manifest": "in.jsonl"}, 2),
        ({"output": "link.jsonl"}, 2),
        ({"output": "same", "manifest": "./same"}, 2),
        ({"output": "-", "manifest": "-"}, 2),
        ({"rejects": "out.jsonl.manifest.json", "bad_rows": "quarantine"}, 2),
        ({"sources": ("in.manifest.json",), "output": "in"}, 2),
        ({"rejects": "in.jsonl", "bad_rows": "quarantine"}, 2),
        ({"output": "none/out.jsonl"}, 73),
        ({"manifest": "none/m.json"}, 73),
        ({"rejects": "none/r", "bad_rows": "quarantine"}, 73),
        ({"output": "."}, 73),
        ({"sources": ("none.jsonl",)}, 66),
        ({"sources": ("*.csv",)}, 66),
        ({"sources": ("in.jsonl", "none.jsonl")}, 66),
    ],
)
def test_refused_without_a_trace(here, write, config, code):
    write("in.jsonl", ROWS)
    Path("link.jsonl").symlink_to("in.jsonl")
    Path("in.manifest.json").symlink_to("in.jsonl")
    before = Path("in.jsonl").read_bytes()
    with pytest.raises(UserError) as caught:
        prepare(PrepareConfig(**{"sources": ("in.jsonl",), "output": "out.jsonl"} | config))
    assert caught.value.code == code
    assert Path("in.jsonl").read_bytes() == before
    assert sorted(os.listdir()) == ["in.jsonl", "in.manifest.json", "link.jsonl"]


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_compressed_in_and_out(here, write, suffix):
    write("in.jsonl.gz", gzip.compress("".join(json.dumps(r) + "\n" for r in ROWS).encode()))
    name = f"out.jsonl{suffix}"
    prepare(PrepareConfig(sources=("in.jsonl.gz",), output=name))
    once = Path(name).read_bytes()
    manifest = json.loads(Path(f"{name}.manifest.json").read_bytes())
    assert manifest["sha256"] == hashlib.sha256(once).hexdigest()
    prepare(PrepareConfig(sources=(name,), output="plain.jsonl"))
    assert Path("plain.jsonl").read_bytes().count(b"in.jsonl.gz:") == 3
    prepare(PrepareConfig(sources=("in.jsonl.gz",), output=name))
    assert Path(name).read_bytes() == once


def test_a_manifest_of_a_pipe_when_asked(here, write, capfdbinary):
    write("in.jsonl", ROWS)
    prepare(PrepareConfig(sources=("in.jsonl",), output="-", manifest="m.json"))
    assert capfdbinary.readouterr().out.count(b"\n") == 3
    manifest = json.loads(Path("m.json").read_bytes())
    assert (manifest["artifact"], manifest["sha256"], manifest["rows"]) == ("-", None, 3)


def test_file_names_that_are_not_utf_8(here, write):
    name = os.fsdecode(b"caf\xe9.jsonl")
    write(name, ROWS[:1])
    prepare(PrepareConfig(sources=(name,), output=os.fsdecode(b"\xff.jsonl")))
    (row,) = Path(os.fsdecode(b"\xff.jsonl")).read_bytes().splitlines()
    assert json.loads(row)["origin"] == "caf\\xe9.jsonl:1"
    manifest = json.loads(Path(os.fsdecode(b"\xff.jsonl.manifest.json")).read_bytes())
    assert list(manifest["inputs"]) == ["caf\\xe9.jsonl"]


text = st.text(min_size=1).filter(str.strip)
value = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
).filter(lambda v: "Infinity" not in json.dumps(v))
body = st.one_of(
    st.fixed_dictionaries({"text": text}),
    st.fixed_dictionaries({"instruction": text, "output": text}, optional={"input": text}),
    st.fixed_dictionaries({"prompt": text, "completion": text}),
    st.lists(text, min_size=1, max_size=4).map(
        lambda said: {
            "messages": [
                {"role": ("user", "assistant")[i % 2], "content": words}
                for i, words in enumerate(said)
            ]
        }
    ),
    st.lists(text, min_size=1, max_size=4).map(
        lambda said: {
            "conversations": [
                {"from": ("human", "gpt")[i % 2], "value": words} for i, words in enumerate(said)
            ]
        }
    ),
)
extra = st.dictionaries(
    st.sampled_from(["positive", "weight", "split", "fields", "meta", "é", "tags", "origin", ""]),
    value,
    max_size=4,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(extra, body, extra), min_size=1, max_size=5))
def test_a_second_pass_changes_no_byte_and_no_column_is_lost(tmp_path, rows):
    rows = [before | main | after for before, main, after in rows]
    source, once, twice = (str(tmp_path / name) for name in ("in", "once.jsonl", "twice.jsonl"))
    with open(source, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    prepare(PrepareConfig(sources=(source,), output=once))
    prepare(PrepareConfig(sources=(once,), output=twice))
    data = Path(once).read_bytes()
    assert Path(twice).read_bytes() == data
    records = [json.loads(line) for line in data.splitlines()]
    taken = {"text", "instruction", "input", "output", "prompt", "completion", "messages"}
    for row, record in zip(rows, records, strict=True):
        assert fault(record) is None
        for key, held in row.items():
            if key in taken | {"conversations"}:
                continue
            aside = record.get("fields", {})
            if key == "fields" and isinstance(held, dict):
                assert repr({name: aside[name] for name in held}) == repr(held)
            else:
                assert repr(held) in (repr(record.get(key, ...)), repr(aside.get(key, ...)))


# rows, out, rejected by cause, kept under `fields`, of every file of these shapes
OUTCOMES = {
    "openai_cookbook/toy_chat_fine_tuning.jsonl": (5, 5, {}, {}, "messages"),
    "data_juicer/demo-dataset-chatml.jsonl": (4, 4, {}, {}, "messages"),
    "data_juicer/demo-dataset.jsonl": (6, 6, {}, {}, "text"),
    "data_juicer/demo-dataset-deduplication.jsonl": (14, 14, {}, {}, "text"),
    "llama_factory/identity.json": (91, 91, {}, {}, "alpaca"),
    "llama_factory/glaive_toolcall_en_demo.json": (200, 200, {}, {}, "sharegpt"),
    "llama_factory/glaive_toolcall_zh_demo.json": (
        200,
        199,
        {"messages[N] is a tool's answer without a call before it": 1},
        {},
        "sharegpt",
    ),
    "llama_factory/kto_en_demo.json": (200, 200, {}, {"label": 200}, "messages"),
    "llama_factory/dpo_en_demo.json": (149, 149, {}, {}, "preference"),
    "llama_factory/reason_tool_use_demo_50.jsonl": (50, 50, {}, {}, "messages"),
    "fastchat_dummy/dummy_conversation.json": (500, 500, {}, {}, "sharegpt"),
    "dolly/dolly_sample.jsonl": (151, 151, {}, {}, "completion"),
    "gsm8k/train_500.jsonl": (500, 500, {}, {}, "completion"),
}
FIELDS = {
    "dolly/dolly_sample.jsonl": ("completion=answer",),
    "gsm8k/train_500.jsonl": ("prompt=question", "completion=answer"),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_real_files_have_exactly_this_outcome(here, shared, name):
    source = str(shared / name)
    tally = prepare(
        PrepareConfig(
            sources=(source,),
            output="out.jsonl",
            field=FIELDS.get(name, ()),
            bad_rows="quarantine",
            rejects="bad.jsonl",
        )
    ).tally
    rows, out, rejected, aside, format = OUTCOMES[name]
    assert (tally.rows_in, tally.out, dict(tally.rejected)) == (rows, out, rejected)
    assert dict(tally.formats) == {format: out}
    assert dict(tally.notes) == {
        f"column '{key}' kept as fields.{key}": count for key, count in aside.items()
    }
    records = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
    assert len(records) == out
    assert len({record["id"] for record in records}) == out
    prepare(PrepareConfig(sources=("out.jsonl",), output="again.jsonl"))
    assert Path("again.jsonl").read_bytes() == Path("out.jsonl").read_bytes()


def test_tool_calls_of_a_real_file(here, shared):
    source = str(shared / "llama_factory/glaive_toolcall_en_demo.json")
    prepare(PrepareConfig(sources=(source,), output="out.jsonl"))
    records = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
    with_tools = [record for record in records if "tools" in record]
    assert len(with_tools) == 200 - 81
    calls = [
        call
        for record in records
        for message in record["messages"]
        for call in message.get("tool_calls", ())
    ]
    assert calls
    assert all(type(call["function"]["name"]) is str for call in calls)


def test_steps_change_drop_and_account(here, write):
    write(
        "in.jsonl",
        [{"prompt": "one", "completion": "1"}, {"id": "b", "prompt": "three", "completion": "3"}],
    )
    config = PrepareConfig(
        sources=("in.jsonl",),
        output="out.jsonl",
        filter=("length:max_prompt_chars=3",),
        dropped="dropped.jsonl",
        explain=("b",),
    )
    prepared = prepare(config)
    rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert [row["origin"] for row in rows] == ["in.jsonl:1"]
    (row,) = [json.loads(line) for line in Path("dropped.jsonl").read_text().splitlines()]
    assert (row["id"], row["dropped"]) == ("b", "prompt longer than 3 chars")
    assert prepared.tally.as_dict() == {
        "rows_in": 2,
        "out": 1,
        "dropped": {"prompt longer than 3 chars": 1},
        "formats": {"completion": 2},
    }
    ((change,),) = prepared.explained.values()
    assert (change.step, change.reason) == ("length:max_prompt_chars=3", row["dropped"])
    with pytest.raises(UserError, match="no record has the id 'c'"):
        prepare(replace(config, explain=("c",)))


def rows_of(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(name).read_bytes().splitlines()]


def test_sides_go_to_files_of_their_own(here, write):
    write("in.jsonl", [{"text": f"text number {i} of {'abcdefghij'[i]}"} for i in range(10)] * 2)
    config = PrepareConfig(
        sources=("in.jsonl",),
        output="{split}.jsonl",
        split="train=0.8,test=0.2",
        exact=True,
        filter=("duplicates",),
    )
    prepared = prepare(config)
    assert prepared.rows == {"train.jsonl": 8, "test.jsonl": 2}
    assert prepared.tally.as_dict() | {"formats": 0} == {
        "rows_in": 20,
        "out": 10,
        "dropped": {"duplicate": 10},
        "formats": 0,
    }
    train, test = rows_of("train.jsonl"), rows_of("test.jsonl")
    assert {row["split"] for row in train} == {"train"}
    assert {row["split"] for row in test} == {"test"}
    assert sorted(row["origin"] for row in train + test) == sorted(
        f"in.jsonl:{i}" for i in range(1, 11)
    )
    sets = set()
    for side, rows in (("train", 8), ("test", 2)):
        manifest = json.loads(Path(f"{side}.jsonl.manifest.json").read_bytes())
        sets.add(manifest["artifact_set"])
        assert (manifest["artifact"], manifest["rows"]) == (f"{side}.jsonl", rows)
        assert manifest["sha256"] == hashlib.sha256(Path(f"{side}.jsonl").read_bytes()).hexdigest()
    assert len(sets) == 1


def test_sides_that_rows_name(here, write):
    write("in.jsonl", [{"text": "a", "split": "dev"}, {"text": "b", "split": "train"}])
    prepared = prepare(PrepareConfig(sources=("in.jsonl",), output="x-{split}.jsonl"))
    assert prepared.rows == {"x-dev.jsonl": 1, "x-train.jsonl": 1}
    write("in.jsonl", [{"text": "a", "split": "dev"}, {"text": "b"}])
    with pytest.raises(UserError, match=r"in.jsonl:2: has no split"):
        prepare(PrepareConfig(sources=("in.jsonl",), output="y-{split}.jsonl"))
    assert not list(here.glob("y-*"))


def test_sides_that_rows_name_never_go_over_an_input(here, write):
    write("train.jsonl", [{"text": "a", "split": "train"}, {"text": "b", "split": "dev"}])
    before = (here / "train.jsonl").read_bytes()
    with pytest.raises(UserError, match=r"train.jsonl: is also an input"):
        prepare(PrepareConfig(sources=("train.jsonl",), output="{split}.jsonl"))
    assert (here / "train.jsonl").read_bytes() == before
    assert not (here / "dev.jsonl").exists()


def test_no_side_without_a_row(here, write):
    write("in.jsonl", [{"text": "a", "split": "dev"}])
    config = PrepareConfig(
        sources=("in.jsonl",), output="{split}.jsonl", filter=("length:min_prompt_chars=9",)
    )
    with pytest.raises(UserError, match="no row is left"):
        prepare(config)
    assert [path.name for path in here.iterdir()] == ["in.jsonl"]


def test_sides_in_one_file(here, write):
    write("in.jsonl", [{"text": f"t{i}"} for i in range(4)])
    config = PrepareConfig(
        sources=("in.jsonl",), output="out.jsonl", split="a=0.5,b=0.5", exact=True
    )
    assert prepare(config).rows == {"out.jsonl": 4}
    assert sorted(row["split"] for row in rows_of("out.jsonl")) == ["a", "a", "b", "b"]


def test_a_file_per_side_that_cannot_be_made_is_told_first(here, write):
    write("in.jsonl", [{"text": "t"}])
    with pytest.raises(UserError, match="no such directory 'nowhere'"):
        prepare(
            PrepareConfig(
                sources=("in.jsonl",), output="nowhere/{split}.jsonl", split="a=0.5,b=0.5"
            )
        )
    with pytest.raises(UserError, match="also an input"):
        prepare(PrepareConfig(sources=("in.jsonl",), output="{split}.jsonl", split="in=1"))


def test_rows_that_touch_the_evaluation_are_dropped(here, write):
    shared = " ".join(f"w{i}" for i in range(13))
    write("in.jsonl", [{"text": f"x {shared} y"}, {"text": "clean"}])
    write("eval+1,2.jsonl", [{"text": "other"}, {"text": f"{shared}!"}])
    config = PrepareConfig(
        sources=("in.jsonl",),
        output="out.jsonl",
        against=("eval+1,2.jsonl",),
        dropped="dropped.jsonl",
    )
    assert prepare(config).tally.dropped == {"shares text with evaluation rows": 1}
    (row,) = rows_of("dropped.jsonl")
    assert row["touches"] == "eval+1,2.jsonl:2"
    assert [row["text"] for row in rows_of("out.jsonl")] == ["clean"]


def test_a_mix_of_a_file_and_a_folder(here, write):
    write("a.jsonl", [{"text": f"a{i}"} for i in range(8)])
    (here / "b").mkdir()
    for name in ("x", "y"):
        write(f"b/{name}.jsonl", [{"text": f"{name}{i}"} for i in range(5)])
    config = PrepareConfig(
        sources=("a.jsonl", "b"), output="out.jsonl", mix=("a.jsonl=0.5", "b=0.5")
    )
    tally = prepare(config).tally
    sources = [row["text"][0] for row in rows_of("out.jsonl")]
    assert (sources.count("a"), len(sources)) == (8, 16)
    assert sources == sorted(sources)
    assert tally.dropped == {"over its source's share of the mix": 2}
    with pytest.raises(UserError, match=r"a.jsonl: runs out: the mix wants 9 of it, it has 8"):
        prepare(replace(config, mix_total=18))
    with pytest.raises(UserError, match="is also an input"):
        prepare(replace(config, output="b/x.jsonl"))


def test_a_mix_by_what_rows_hold(here, write, monkeypatch):
    monkeypatch.setenv("INSTRUCTUNE_CACHE", str(here / "cache"))
    write("a.jsonl", [{"text": f"{i} b c d"} for i in range(8)])  # 4 words, 7 bytes
    write("b.jsonl", [{"text": f"abcdefghijklm {i}"} for i in range(16)])  # 2 words, 15 bytes

    def mixed(**settings: Any) -> tuple[int, int]:
        mix = ("a.jsonl=0.5", "b.jsonl=0.5")
        prepare(PrepareConfig(("a.jsonl", "b.jsonl"), "out.jsonl", mix=mix, **settings))
        lengths = [len(row["text"]) for row in rows_of("out.jsonl")]
        return lengths.count(7), len([n for n in lengths if n >= 15])

    assert mixed() == (8, 8)
    assert mixed(mix_by="words") == (8, 16)
    # 56 tokens of each are there: 4 rows of 15 are the first to reach that
    assert mixed(mix_by="tokens", model="tiny-llama") == (8, 4)
    with pytest.raises(UserError, match="--mix-by tokens: needs --model") as told:
        mixed(mix_by="tokens")
    assert told.value.code == Exit.USAGE
    with pytest.raises(UserError, match="--model: needs --report or --mix-by tokens"):
        mixed(model="tiny-llama")


def test_a_report(here, write):
    write("in.jsonl", [{"text": "one two", "label": "a"}, {"text": "eins"}, {"text": "eins"}])
    config = PrepareConfig(
        sources=("in.jsonl",),
        output="out.jsonl",
        filter=("duplicates",),
        report="report.html",
        model="tiny-llama",
    )
    prepare(config)
    text = Path("report.html").read_text()
    assert ">dropped: duplicate</text>" in text
    tokens = len("one two") + len("eins")  # the preset's tokens are bytes
    assert f'<td>tokens</td><td class="number">{tokens}</td>' in text
    assert "src=" not in text
    assert "http:" not in text
    assert "https:" not in text


hostile = st.one_of(
    st.fixed_dictionaries(
        {"text": st.text(max_size=6)},
        optional={"label": st.sampled_from(["a", "b"]), "group": st.sampled_from(["g", "h"])},
    ),
    st.fixed_dictionaries({"instruction": st.text(max_size=4), "output": st.text(max_size=4)}),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


DIRTY = given(
    st.lists(hostile, min_size=1, max_size=12),
    st.sampled_from([None, "a=0.5,b=0.5"]),
    st.lists(
        st.sampled_from(["duplicates", "duplicates:near=0.5", "length:min_prompt_chars=2"]),
        max_size=2,
    ),
    st.sampled_from([None, "a"]),
)
ANYHOW = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=200, **ANYHOW)
@DIRTY
def test_every_row_is_accounted_for(here, rows, split, filters, damage):
    accounted(rows, split, filters, damage)


@pytest.mark.slow
@settings(max_examples=2500, **ANYHOW)
@DIRTY
def test_every_row_of_many_files_is_accounted_for(here, rows, split, filters, damage):
    accounted(rows, split, filters, damage)


def accounted(rows, split, filters, damage):
    """Each row is in one of the files that its fate is counted by."""
    lines = [json.dumps(row).encode() for row in rows]
    if damage:
        lines.insert(len(lines) // 2, b'{"text": "cut')
    Path("in.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    config = PrepareConfig(
        sources=("in.jsonl",),
        output="out.jsonl",
        split=split,
        filter=tuple(dict.fromkeys(filters)),
        bad_rows="quarantine",
        rejects="rejects.jsonl",
        dropped="dropped.jsonl",
    )
    try:
        tally = prepare(config).tally
    except UserError as error:
        assert error.code == Exit.BAD_DATA  # noqa: PT017
        return
    assert tally.rows_in == len(lines)
    files = {"out": tally.out, "rejects": tally.rejected.total(), "dropped": tally.dropped.total()}
    for name, count in files.items():
        assert len(Path(f"{name}.jsonl").read_bytes().splitlines()) == count
    assert sum(files.values()) == len(lines) + tally.added.total()
    assert all(fault(row) is None for row in rows_of("out.jsonl"))


def test_an_instruction_set_grows_through_a_model(tmp_path, write, monkeypatch):
    """What is asked goes out, answers come back as marked records, the seeds' likes are dropped."""
    monkeypatch.chdir(tmp_path)
    texts = ["Write a poem about the sea", "Sort five numbers by size", "Name a river in Asia"]
    rows = [
        {"id": f"s{i}", "messages": [{"role": "user", "content": t}]} for i, t in enumerate(texts)
    ]
    seeds = write("seeds.jsonl", rows)
    prepare(PrepareConfig(sources=(seeds,), ask="new-instruction", output="asked.jsonl"))
    prompts = [json.loads(line) for line in Path("asked.jsonl").read_text().splitlines()]
    assert len(prompts) == 3
    assert all(text in prompts[0]["messages"][0]["content"] for text in texts)
    said = ["Write a poem about the SEA", "Explain how a bicycle works", None]
    answers = [
        prompt | {"sample": 0, "prediction": text, "finish_reason": "stop", "model": "m"}
        for prompt, text in zip(prompts, said, strict=True)
    ]
    write("answers.jsonl", answers)
    how = {"accept": True, "known": (seeds,), "output": "grown.jsonl", "dropped": "gone.jsonl"}
    done = prepare(PrepareConfig(sources=("answers.jsonl",), **how))
    (grown,) = [json.loads(line) for line in Path("grown.jsonl").read_text().splitlines()]
    assert grown["messages"] == [{"role": "user", "content": said[1]}]
    assert grown["generated"]["of"] == "s1"
    assert done.tally.dropped == {
        "an instruction like one that is there": 1,
        "the model gave no answer": 1,
    }
    for wrong, reason in (
        ({"ask": "paraphrase", "accept": True}, "not both at once"),
        ({"known": (seeds,)}, "needs --accept"),
        ({"ask": "new-instruction", "sources": ("-",)}, "needs files"),
    ):
        with pytest.raises(UserError, match=reason):
            prepare(PrepareConfig(**{"sources": (seeds,)} | wrong))
