"""`instructune train` as a process: what it writes where, how it ends, and that it comes back."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from instructune.rundir import RunDir
from instructune.training import checkpoints
from tests.tuning import Ended, Server, chats, result_of, write_rows

TINY = ("-m", "tiny-llama", "-o", "run", "--threads", "1", "--dtype", "float32")
STEPS = 24


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server
    server.close()


class Commands:
    """`instructune train` in a folder of its own, with 24 rows in data.jsonl."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder, self.path = server, folder, folder / "run"
        write_rows(folder / "data.jsonl", chats(24))

    def __call__(self, *args: str, data: tuple[str, ...] = ("data.jsonl",), **job: Any) -> Ended:
        given = ("--batch-size", "4", *args)
        return self.server.run("train", *data, *TINY, *given, cwd=self.folder, **job)

    def document(self) -> dict[str, Any]:
        return json.loads((self.path / "run.json").read_text())

    def steps(self) -> list[int]:
        events = RunDir(self.path).events()
        return [event["step"] for event in events if event["event"] == "step"]


@pytest.fixture
def train(server: Server, tmp_path: Path) -> Commands:
    return Commands(server, tmp_path)


def at(place: str, n: int, number: int = signal.SIGKILL) -> dict[str, Any]:
    return {"on": place, "n": n, "signal": number}


def test_stdout_is_one_line_of_json_and_stderr_tells_the_rest(train: Commands) -> None:
    ended = train("--steps", "4")
    assert ended.code == 0
    assert ended.out.endswith("}\n")
    assert ended.out.count("\n") == 1
    report = json.loads(ended.out)
    assert (report["steps"], report["rows"], report["notes"]) == (4, 24, [])
    lines = ended.err.splitlines()
    assert lines[0].startswith(f"step 1/4  loss {report['loss_first']:.4f}  ")
    assert lines[1].startswith(f"step 4/4  loss {report['loss_last']:.4f}  ")
    told = f"loss {report['loss_first']:.4f} -> {report['loss_last']:.4f}; "
    assert lines[2].startswith(f"4 steps, 0.6667 epochs of 24 rows: {told}")
    assert lines[3:] == ["  109,120 parameters (100.00%) -> run"]
    again = train("--steps", "4")
    assert again.code == 0
    assert json.loads(again.out)["notes"] == ["run: finished already, nothing to do"]
    assert again.err.splitlines() == [
        "run: finished already, nothing to do",
        f"4 steps, 0.6667 epochs of 24 rows: {told.removesuffix('; ')}",
        "  109,120 parameters (100.00%) -> run",
    ]


def test_the_losses_of_held_out_rows_are_told(train: Commands) -> None:
    write_rows(train.folder / "eval.jsonl", chats(3, start=50))
    held_out = ("--steps", "2", "--eval-data", "eval.jsonl")
    ended = train(*held_out, "--eval-first")
    report = json.loads(ended.out)
    before, best = report["eval_loss_before"], report["eval_loss_best"]
    told = f", eval loss {before:.4f} before, {best:.4f} at its best, step {report['best_step']}"
    assert told in ended.err
    document = train.document()
    del document["result"]["eval_loss_before"]  # as runs of before had it
    (train.path / "run.json").write_text(json.dumps(document))
    again = train(*held_out)
    assert again.code == 0
    assert f", eval loss {best:.4f} at its best, step {report['best_step']}" in again.err


def test_with_json_stderr_is_json_too(train: Commands) -> None:
    write_rows(train.folder / "eval.jsonl", chats(3, start=50))
    ended = train("--steps", "2", "--json", "--eval-data", "eval.jsonl")
    assert ended.code == 0
    assert ended.err == ended.out
    assert json.loads(ended.err)["eval_loss_best"] > 0
    refused = train("--steps", "2", "--json", "--seed", "1")
    assert (refused.code, refused.out) == (73, "")
    error = json.loads(refused.err)
    assert error["code"] == 73
    assert "seed: 0 -> 1" in error["error"]
    assert error["where"] == "run"


def test_a_rehearsal_is_told(train: Commands) -> None:
    ended = train("--dry-run", "--method", "lora:rank=4")
    assert ended.code == 0
    report = json.loads(ended.out)
    lines = ended.err.splitlines()
    assert "  steps = 18" in lines
    assert f"rows 24, longest {report['longest_row']} tokens; " in ended.err
    assert f"trainable {report['trainable_share']:.2%}; about " in ended.err
    assert lines[-2:] == [
        "first row, learned tokens in brackets:",
        "  <|im_start|>userĊ1<|im_end|>Ċ<|im_start|>assistantĊ[1][<|im_end|>]Ċ",
    ]
    assert os.listdir(train.folder) == ["data.jsonl"]
    whole = train("--dry-run", "-m", "tiny-bert", "--objective", "mlm")
    tokens = json.loads(whole.out)["tokens_an_epoch"]
    assert f"; an epoch is {tokens} tokens, learned a row at a time\n" in whole.err
    assert whole.err.splitlines()[-2] == "first row:"


def test_more_steps_go_on_and_other_settings_do_not(train: Commands) -> None:
    assert train("--steps", "2").code == 0
    more = train("--steps", "4")
    assert more.code == 0
    assert more.err.startswith("resumed from run/checkpoints/step-000002\n")
    assert json.loads(more.out)["steps_this_time"] == 2
    other = train("--steps", "4", "--learning-rate", "0.5", "--schedule", "linear")
    assert (other.code, other.out) == (73, "")
    assert other.err == (
        "error: run: holds a run with other settings "
        "(learning_rate: None -> 0.5; schedule: cosine -> linear)\n"
        "  hint: choose another -o, or --overwrite to move it aside\n"
    )
    assert train("--steps", "4", "--resume", "never").code == 73
    moved = train("--steps", "1", "--learning-rate", "0.5", "--overwrite")
    assert moved.code == 0
    assert train.document()["config"]["learning_rate"] == 0.5
    assert RunDir(train.folder / "run.old").exists


def test_a_directory_of_something_else(train: Commands) -> None:
    train.path.mkdir()
    (train.path / "thesis.tex").write_text("")
    ended = train()
    assert ended.code == 73
    assert "is not a run (it holds thesis.tex)" in ended.err
    assert train("--overwrite").code == 73
    assert os.listdir(train.path) == ["thesis.tex"]


def test_a_run_in_use_and_one_whose_owner_was_killed(train: Commands) -> None:
    killed = train("--steps", "4", triggers=[at("event", 3)])
    assert killed.code == -9
    with RunDir(train.path).locked():
        ended = train("--steps", "4")
        assert (ended.code, ended.out) == (75, "")
        assert ended.err == f"error: run: is in use by process {os.getpid()}\n"
    assert train("--steps", "4").code == 0


def test_rows_from_a_pipe_are_kept_so_that_a_killed_run_resumes_alone(train: Commands) -> None:
    settings = ("--steps", "8", "--checkpoint-every", "2")
    piped = str(train.folder / "data.jsonl")
    killed = train(*settings, data=(), stdin=piped, triggers=[at("event", 6)])
    assert killed.code == -9
    kept = (train.path / "data.jsonl").read_bytes()
    assert len(kept.splitlines()) == 24
    # other rows are refused, and do not take the place of the kept ones
    others = write_rows(train.folder / "others.jsonl", chats(24, start=1))
    refused = train(*settings, data=("-",), stdin=others)
    assert refused.code == 73
    assert "fingerprint of data" in refused.err
    assert (train.path / "data.jsonl").read_bytes() == kept
    alone = train(*settings, data=())
    assert alone.code == 0
    assert alone.err.startswith("resumed from run/checkpoints/step-000004\n")
    straight = train(*settings, "-o", "straight")
    assert straight.code == 0
    assert result_of(train.path) == result_of(train.folder / "straight")
    assert train(*settings, data=("-",), stdin=piped).err.startswith("run: finished already")


@pytest.mark.parametrize("place", [("replace", 1), ("replace", 2)])
def test_a_kill_before_the_run_began_is_no_obstacle(
    train: Commands, place: tuple[str, int]
) -> None:
    """Before and after the piped rows were kept."""
    piped = str(train.folder / "data.jsonl")
    killed = train("--steps", "2", data=(), stdin=piped, triggers=[at(*place)])
    assert killed.code == -9
    assert not (train.path / "run.json").exists()
    assert train("--steps", "2", data=(), stdin=piped).code == 0
    assert [p.name for p in train.path.iterdir() if ".tmp" in p.name] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_the_same_command_goes_on(train: Commands, number: int) -> None:
    settings = ("--steps", "8", "--dropout", "0.1")
    ended = train(*settings, triggers=[at("event", 3, number)])
    assert (ended.code, ended.out) == (-number, "")  # a shell calls it 143 or 130
    told = "run: stopped after step 3 of 8; the same command goes on from there"
    assert ended.err.splitlines()[-1] == told
    assert "Traceback" not in ended.err
    assert train.document()["state"] == "stopped"
    assert (train.path / "last").readlink() == Path("checkpoints/step-000003")
    assert train(*settings).code == 0
    assert train(*settings, "-o", "straight").code == 0
    assert result_of(train.path) == result_of(train.folder / "straight")


def test_a_second_signal_stops_at_once(train: Commands) -> None:
    settings = ("--steps", "8", "--checkpoint-every", "2")
    triggers = [at("event", 3, signal.SIGTERM), at("tensors", 2, signal.SIGINT)]
    ended = train(*settings, triggers=triggers)
    assert (ended.code, ended.out) == (-signal.SIGINT, "")
    told = "run: stopped; the same command goes on from the last checkpoint"
    assert ended.err.splitlines()[-1] == told
    names = [path.name for path in (train.path / "checkpoints").iterdir()]
    assert names == ["step-000002"]  # not of step 3, nor a piece of it
    assert train(*settings).code == 0
    assert train(*settings, "-o", "straight").code == 0
    assert result_of(train.path) == result_of(train.folder / "straight")


def test_a_signal_while_the_model_is_saved(train: Commands) -> None:
    ended = train("--steps", "2", triggers=[at("trained", 1, signal.SIGTERM)])
    assert ended.code == -signal.SIGTERM
    assert ended.err.endswith("the same command goes on from the last checkpoint\n")
    assert not (train.path / "model").exists()
    again = train("--steps", "2")
    assert again.code == 0
    assert json.loads(again.out)["steps_this_time"] == 0


def test_a_loss_that_is_no_number(train: Commands) -> None:
    rows = chats(24)
    rows[7]["weight"] = 1e39
    write_rows(train.folder / "data.jsonl", rows)
    ended = train("--checkpoint-every", "1")
    assert (ended.code, ended.out) == (70, "")
    error = ended.err.splitlines()[-2]
    assert error.startswith("error: training became non-finite at step ")
    assert "sum-7" in error
    assert "no parameter was changed by this step" in ended.err
    failed = int(error.partition(" at step ")[2].partition(":")[0])
    assert train.steps() == list(range(1, failed))
    newest, skipped = checkpoints.newest(train.path / "checkpoints")
    assert (newest is None) == (failed == 1)
    assert newest is None or checkpoints.step_of(newest) == failed - 1
    assert skipped == []
    assert not (train.path / "model").exists()


def test_a_rate_that_is_too_high(train: Commands) -> None:
    ended = train("--learning-rate", "1e18", "--schedule", "constant", "--warmup", "0")
    assert ended.code == 70
    assert "non-finite" in ended.err
    assert not (train.path / "model").exists()


def test_too_little_memory(train: Commands) -> None:
    rows = chats(8)
    for row in rows:
        row["messages"][0]["content"] = "x" * 2000
    write_rows(train.folder / "data.jsonl", rows)
    settings = ("--steps", "1", "--batch-size", "8", "--micro-batch-tokens")
    ended = train(*settings, "100000", memory=300 << 20)
    assert (ended.code, ended.out) == (71, "")
    assert ended.err.splitlines()[-2] == "error: out of memory"
    assert "--micro-batch-tokens" in ended.err
    assert "Traceback" not in ended.err
    # what the hint says helps, and the run goes on with it
    assert train(*settings, "2048", memory=300 << 20).code == 0


def test_training_outlives_the_reader_of_its_progress(train: Commands) -> None:
    ended = train("--steps", "4", err=None)
    assert ended.code == 0
    assert json.loads(ended.out)["steps"] == 4


def test_a_reader_that_left_before_the_report(train: Commands) -> None:
    ended = train("--steps", "2", out=None)
    assert ended.code == -signal.SIGPIPE
    assert train.document()["state"] == "finished"
    assert "Traceback" not in ended.err


EXACT = ("--steps", str(STEPS), "--checkpoint-every", "5", "--dropout", "0.1", "--batch-size", "4")
EXACT += ("--eval-data", "eval.jsonl", "--eval-every", "7")


def kills(count: int, calls: dict[str, int], seconds: float) -> list[dict[str, Any]]:
    """Moments to kill at: at random calls, most of them within the saving, and at random times."""
    rng = random.Random(count)
    chosen = []
    for i in range(count):
        if i % 5 == 4:
            chosen.append({"after": rng.uniform(0.05, seconds)})
        else:
            place = ("fsync", "event", "rename", "replace", "unlink", "tensors", "step")[i % 7]
            chosen.append({"triggers": [at(place, rng.randint(1, calls[place]))]})
    return chosen


@pytest.mark.parametrize("count", [pytest.param(4), pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_run_ends_as_one_that_was_not(train: Commands, count: int) -> None:
    write_rows(train.folder / "eval.jsonl", chats(4, start=50))
    started = time.monotonic()
    assert train(*EXACT, "-o", "straight").code == 0
    seconds = time.monotonic() - started
    wanted = result_of(train.folder / "straight")
    log = (train.folder / "straight/log.jsonl").read_text().splitlines()
    calls = {"fsync": 70, "event": 28, "rename": 10, "replace": 25, "unlink": 40, "tensors": 8}
    equal = killed = 0
    for kill in kills(count, calls | {"step": STEPS}, seconds):
        ended = train(*EXACT, **kill)
        killed += ended.code == -9
        done = train.steps()
        # no half of a checkpoint stands under a final name, and none is lost that was there
        assert checkpoints.newest(train.path / "checkpoints")[1] == []
        if len(done) > 6:
            assert checkpoints.listed(train.path / "checkpoints")
        assert train(*EXACT).code == 0
        assert (train.path / "log.jsonl").read_text().splitlines() == log
        equal += result_of(train.path) == wanted
        left = [p.name for p in train.path.rglob(".*") if p.name != ".lock"]
        assert left == []
        shutil.rmtree(train.path)
    assert equal == count
    assert killed >= count * 3 // 4


BEFORE_TORCH = """
import json, sys
from instructune.cli import app
from typer.testing import CliRunner

for args in json.loads(sys.argv[1]):
    result = CliRunner().invoke(app, ["train", *args], prog_name="instructune")
    heavy = {"torch", "transformers", "peft", "accelerate", "datasets"} & set(sys.modules)
    print(json.dumps([result.exit_code, sorted(heavy)]))
"""


def test_bad_input_is_told_before_torch_is_loaded(train: Commands) -> None:
    assert train("--steps", "1").code == 0
    write_rows(train.folder / "bad.jsonl", [*chats(3), {"id": "x"}])
    cases = [
        (["nope.jsonl", "-o", "new"], 66),
        (["bad.jsonl", "-o", "new"], 65),
        (["data.jsonl", "-o", "new", "--max-length", "20"], 65),
        (["data.jsonl", "-o", "new", "-m", "tiny-lama"], 66),
        (["data.jsonl", "-o", "new", "--method", "lroa"], 2),
        (["data.jsonl", "-o", "data.jsonl"], 73),
        (["data.jsonl", "--seed", "1"], 73),
        (["data.jsonl", "--resume", "never"], 73),
        (["data.jsonl"], 0),  # finished already
    ]
    lines = [[*TINY, "--batch-size", "4", "--steps", "1", *args] for args, _ in cases]
    result = subprocess.run(
        [sys.executable, "-c", BEFORE_TORCH, json.dumps(lines)],
        cwd=train.folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    told = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("[")]
    assert told == [[code, []] for _, code in cases], result
    assert not (train.folder / "new").exists()


def test_help_names_the_objectives_and_says_where_their_options_are_told(server, tmp_path):
    told = " ".join(server.run("train", "--help", cwd=tmp_path).out.split())
    assert "--objective NAME[:key=value,…] What is learned: classify, clm," in told
    assert told.count("NAME:help tells its options") == 2
    options = server.run("train", "--objective", "classify:help", cwd=tmp_path)
    assert options.code == 0
    assert "threshold      number; default 0.5" in options.out
