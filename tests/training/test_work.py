"""Everything that is known before torch: checked early, counted, fingerprinted."""

from __future__ import annotations

import io
import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.rundir import RunDir
from instructune.training.work import Work, pad_id_of, read_work
from tests.tuning import chats, train_run, write_rows

ALPACA = [
    {"instruction": "Add 1 and 2.", "output": "3"},
    {"instruction": "Say hi.", "output": "hi"},
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "data.jsonl", chats(5))
    Path("run").mkdir()
    return tmp_path


def read(**settings: Any) -> Work:
    config = TrainConfig(**({"data": ("data.jsonl",), "model": "tiny-llama"} | settings))
    with ExitStack() as stack:
        return read_work(config, RunDir(config.output), stack, lambda text: None)


def refused(code: Exit, told: str, **settings: Any) -> UserError:
    with pytest.raises(UserError) as raised:
        read(**settings)
    assert told in str(raised.value)
    assert raised.value.code == code
    return raised.value


def pipe(monkeypatch: pytest.MonkeyPatch, rows: list[dict[str, Any]]) -> None:
    """Rows on standard input."""
    readable, writable = os.pipe()
    os.write(writable, "".join(f"{json.dumps(row)}\n" for row in rows).encode())
    os.close(writable)
    monkeypatch.setattr(
        "instructune.files._open_raw", lambda name: io.FileIO(readable if name == "-" else name)
    )
    monkeypatch.setattr("sys.stdin", io.StringIO())


def test_rows_are_counted(folder: Path) -> None:
    held_out = write_rows(folder / "eval.jsonl", chats(2, start=50))
    work = read(eval_data=held_out)
    assert len(work.data) == 5
    assert work.counts == {
        "rows_in": 5,
        "out": 5,
        "formats": {"messages": 5},
        "encoding": {},
        "eval_data": {"rows_in": 2, "out": 2, "formats": {"messages": 2}, "encoding": {}},
    }
    assert work.eval_data is not None
    assert len(work.eval_data) == 2
    assert work.stops == [258]
    assert work.max_length == 4096
    assert work.pad_id == 256
    assert work.dropped == []


def test_rows_that_are_too_long(folder: Path) -> None:
    held_out = write_rows(folder / "eval.jsonl", chats(3))
    refused(Exit.BAD_DATA, "data.jsonl:5", max_length=34)
    work = read(max_length=34, overflow="drop", eval_data=held_out)
    assert len(work.data) == 3
    assert work.counts["encoding"]["longer than --max-length, dropped"] == 2
    assert work.counts["eval_data"]["encoding"] == {}
    assert work.dropped == ["data.jsonl:4", "data.jsonl:5"]
    refused(Exit.BAD_DATA, "no row is left to learn", max_length=20, overflow="drop")
    long = write_rows(folder / "long.jsonl", chats(1, start=4))
    told = "long.jsonl: no row is left to learn"
    refused(Exit.BAD_DATA, told, max_length=34, overflow="drop", eval_data=long)


def test_the_fingerprint_is_of_the_content(folder: Path) -> None:
    first = read().fingerprints
    assert first.keys() == {"data", "model", "tokenizer"}
    rows = chats(5)
    Path("deep").mkdir()
    write_rows(folder / "deep/other.jsonl", rows)
    assert read(data=("deep/other.jsonl",)).fingerprints == first
    write_rows(folder / "one.jsonl", rows[:2])
    write_rows(folder / "two.jsonl", rows[2:])
    assert read(data=("one.jsonl", "two.jsonl")).fingerprints == first
    assert read(data=("two.jsonl", "one.jsonl")).fingerprints["data"] != first["data"]
    rows[3]["messages"][1]["content"] += " "
    write_rows(folder / "other.jsonl", rows)
    changed = read(data=("other.jsonl",)).fingerprints
    assert changed["data"] != first["data"]
    assert changed["model"] == first["model"]
    assert read(model="tiny-gpt2").fingerprints["model"] != first["model"]
    (folder / "t.jinja").write_text(
        "{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}assistant: {% endif %}"
    )
    assert read(template="t.jinja").fingerprints["tokenizer"] != first["tokenizer"]
    held_out = read(eval_data="data.jsonl").fingerprints
    assert held_out == first | {"eval_data": first["data"]}


def test_rows_from_a_pipe_are_kept_and_make_the_same_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = write_rows(folder / "raw.jsonl", ALPACA)
    from_file = read(data=(raw,))
    pipe(monkeypatch, ALPACA)
    from_pipe = read(data=("-",))
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    kept = [json.loads(line) for line in Path("run/data.jsonl").read_text().splitlines()]
    assert [row["messages"][1]["content"] for row in kept] == ["3", "hi"]
    assert [row["origin"] for row in kept] == ["-:1", "-:2"]
    alone = read(data=())
    assert from_file.fingerprints == from_pipe.fingerprints == alone.fingerprints
    assert alone.data.ids.tolist() == from_file.data.ids.tolist()
    # settings for raw rows do not fit the kept records, which they have been applied to
    with_flags = read(data=(), format="alpaca", field=("instruction=question",))
    assert with_flags.fingerprints == alone.fingerprints


def test_a_pipe_that_fails_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("run/data.jsonl").write_text("what was there before\n")
    pipe(monkeypatch, [*chats(2), {"neither": "nor"}])
    refused(Exit.BAD_DATA, "-:3", data=("-",))
    assert os.listdir("run") == ["data.jsonl"]
    assert Path("run/data.jsonl").read_text() == "what was there before\n"


def test_bad_rows_can_be_set_aside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(folder / "data.jsonl", [*chats(2), {"neither": "nor"}])
    refused(Exit.BAD_DATA, "data.jsonl:3")
    work = read(bad_rows="quarantine", rejects="rejects.jsonl")
    assert len(work.data) == 2
    (told,) = work.counts["rejected"].values()
    assert told == 1
    (reject,) = map(json.loads, Path("rejects.jsonl").read_text().splitlines())
    assert reject["where"] == "data.jsonl:3"
    # what was kept has no bad rows, so the rejects of the first time stay
    Path("run/data.jsonl").write_text(Path("data.jsonl").read_text().partition('{"neither')[0])
    read(data=(), bad_rows="quarantine", rejects="rejects.jsonl")
    assert Path("rejects.jsonl").stat().st_size > 0


def test_a_rehearsal_writes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_rows(folder / "data.jsonl", [*chats(2), {"neither": "nor"}])
    before = sorted(folder.rglob("*"))
    read(dry_run=True, bad_rows="quarantine", rejects="rejects.jsonl")
    pipe(monkeypatch, chats(2))
    read(dry_run=True, data=("-",))
    assert sorted(folder.rglob("*")) == before


def test_no_input(folder: Path) -> None:
    refused(Exit.USAGE, "no input", data=())
    refused(Exit.NO_INPUT, "nope.jsonl: no such file", data=("nope.jsonl",))
    refused(Exit.NO_INPUT, "nope.jsonl: no such file", eval_data="nope.jsonl")
    refused(Exit.USAGE, "read only once", data=("-",), eval_data="-")


def test_rejects_in_a_bad_place(folder: Path) -> None:
    bad = {"bad_rows": "quarantine"}
    refused(Exit.CANNOT_CREATE, "no such directory", **bad, rejects="nowhere/r.jsonl")
    refused(Exit.USAGE, "is also an input", **bad, rejects="data.jsonl")


def test_unknown_names(folder: Path) -> None:
    assert "lora" in (refused(Exit.USAGE, "unknown method", method="lroa").hint or "")
    assert "sft" in (refused(Exit.USAGE, "unknown objective", objective="stf").hint or "")
    assert "tiny-llama" in (refused(Exit.NO_INPUT, "no such", model="tiny-lama").hint or "")


def test_longer_than_the_model_can_read(folder: Path) -> None:
    assert read(max_length=4096).max_length == 4096
    error = refused(Exit.MISMATCH, "takes 4096 tokens at most, got 4097", max_length=4097)
    assert error.where == "--max-length"


def a_model(folder: Path, **changed: Any) -> str:
    """A trained tiny Llama with another config.json."""
    train_run(folder, output=str(folder / "trained"), steps=1)
    config = folder / "trained/model/config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changed))
    return str(folder / "trained/model")


def test_a_tokenizer_with_more_ids_than_the_model(folder: Path) -> None:
    model = a_model(folder, vocab_size=257)
    told = "gives the id 258, but the model has only 257 embeddings"
    assert refused(Exit.MISMATCH, told, model=model).where == model


def test_padding_that_has_no_embedding(folder: Path) -> None:
    tokenizer = read().tokenizer
    assert read().pad_id == pad_id_of(tokenizer, {"vocab_size": 257}) == 256
    assert pad_id_of(tokenizer, {"vocab_size": 256}) == 0
