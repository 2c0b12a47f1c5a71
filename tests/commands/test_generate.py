"""`instructune generate` as shells, pipes and killers see it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.generating import chat, read_rows, save_tiny, write_rows
from tests.tuning import Ended, Server

ROOT = Path(__file__).parents[2]
ROWS = [chat(f"question {i} " + "x" * (i % 7), id=f"row-{i}") for i in range(24)]
FAST = ("--max-new-tokens", "6", "--threads", "1", "--dtype", "float32")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a model, rows to answer, and a cache of its own."""
    path = tmp_path_factory.mktemp("generate")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(path / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        (path / "model").mkdir()
        save_tiny(path / "model")
        write_rows(path / "rows.jsonl", ROWS)
        yield path


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    found = Server(folder)
    yield found
    found.close()


@pytest.fixture
def generate(server: Server, folder: Path, tmp_path: Path) -> Callable[..., Ended]:
    """Run the command in a process of its own, in the test's folder."""

    def generate(*args: str, **job: Any) -> Ended:
        given = ("generate", "-m", str(folder / "model"), *FAST, *args)
        return server.run(*given, cwd=tmp_path, **job)

    return generate


@pytest.fixture
def rows(folder: Path) -> str:
    return str(folder / "rows.jsonl")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_stdout_is_data_and_stderr_is_talk(generate, rows, tmp_path):
    done = generate(rows, "-o", "out.jsonl")
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[-1].startswith("24 predictions for 24 rows -> out.jsonl: ")
    piped = generate(rows)
    assert piped.out.encode() == (tmp_path / "out.jsonl").read_bytes()
    assert "24 predictions for 24 rows -> -: " in piped.err
    assert names(tmp_path) == ["out.jsonl", "out.jsonl.manifest.json"]


def test_rows_may_come_by_a_pipe(generate, rows, folder):
    named, piped = generate(rows), generate(stdin=rows)
    assert piped.code == 0
    for one, other in zip(named.out.splitlines(), piped.out.splitlines(), strict=True):
        row = json.loads(one)
        assert json.loads(other) == row | {"origin": "-:" + row["origin"].rpartition(":")[2]}
    assert generate("-", stdin=rows).out == piped.out


def test_a_pipe_has_a_manifest_only_where_asked(generate, rows, tmp_path):
    done = generate(rows, "--manifest", "m.json")
    assert done.code == 0
    assert names(tmp_path) == ["m.json"]
    assert json.loads((tmp_path / "m.json").read_text())["rows"] == 24


def test_the_report_as_json_and_nothing_else(generate, rows):
    done = generate(rows, "-o", "out.jsonl", "--json")
    report = json.loads(done.err)
    assert (done.out, report["predictions"], report["errors"]) == ("", 24, 0)
    assert report["tokens_per_second"] > 0


def test_a_question_on_the_command_line(generate):
    done = generate(
        "--prompt",
        "hi",
        "-p",
        "ho",
        "--system",
        "Be short.",
        "--samples",
        "2",
        "--temperature",
        "1",
    )
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(row["id"], row["sample"]) for row in found] == [
        (f"prompt-{i}", sample) for i in (1, 2) for sample in (0, 1)
    ]
    assert [turn["role"] for turn in found[0]["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("--prompt", "hi", "ROWS"), 2, "--prompt: is an input of its own"),
        (("ROWS", "--samples", "2"), 2, "--samples: needs --temperature above 0"),
        (("ROWS", "--backend", "transfomers"), 2, "did you mean 'transformers'?"),
        (("ROWS", "--max-length", "4"), 65, "all 24 rows failed, first id 'row-0': a prompt of"),
        (("-",), 65, "-: no rows"),
        (("none.jsonl",), 66, "none.jsonl: no such file"),
        (("ROWS", "-m", "tiny-lama"), 66, "did you mean 'tiny-llama'?"),
        (("ROWS", "-o", "none/out.jsonl"), 73, "no such directory 'none'"),
        (("ROWS", "-o", "/dev/full"), 74, "/dev/full: no space left on device"),
    ],
)
def test_failures_are_one_message_and_a_code(generate, rows, tmp_path, args, code, told):
    done = generate(*(rows if arg == "ROWS" else arg for arg in args))
    assert (done.code, done.out) == (code, "")
    assert told in done.err
    assert done.err.startswith("error: ")
    assert names(tmp_path) == []


def test_a_failing_producer_has_no_answers(folder, tmp_path):
    script = f"(cat {folder}/rows.jsonl; echo broken) | {sys.executable} -m instructune generate"
    done = subprocess.run(
        ["bash", "-c", f"{script} -m {folder}/model {' '.join(FAST)}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (65, b"")
    assert b"error: -:25: not JSON" in done.stderr


def test_a_reader_that_leaves_ends_it_quietly(folder, tmp_path):
    """141, as a shell has it for a closed pipe; far more than a pipe holds is written."""
    many = [chat("hi", id=str(i), padding="x" * 9000) for i in range(24)]
    write_rows(tmp_path / "many.jsonl", many)
    command = f"{sys.executable} -m instructune generate many.jsonl -m {folder}/model"
    done = subprocess.run(
        ["bash", "-c", f"{command} {' '.join(FAST)} | head -n 1; echo ${{PIPESTATUS[0]}}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
    )
    first, status = done.stdout.splitlines()
    assert json.loads(first)["id"] == "0"
    assert status == b"141"
    assert done.stderr == b""


def test_answers_flow_into_eval(generate, server, tmp_path):
    answered = [chat(f"say {i}", f"{i}", id=str(i)) for i in range(4)]
    write_rows(tmp_path / "rows.jsonl", answered)
    (tmp_path / "answers").write_text(generate("rows.jsonl").out)
    done = server.run("eval", "-", cwd=tmp_path, stdin=str(tmp_path / "answers"))
    assert done.code == 0, done.err
    summaries = [json.loads(line) for line in done.out.splitlines()]
    assert {(s["n"], s["n_expected"]) for s in summaries} == {(4, 4)}


# killed and started again

WINDOWED = ("--window", "3", "--temperature", "0.8", "--samples", "2", "-o", "out.jsonl")


@pytest.fixture(scope="module")
def straight(server: Server, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The bytes of a run that nobody disturbs, and of its manifest."""
    path = tmp_path_factory.mktemp("straight")
    args = ("generate", "-m", str(folder / "model"), *FAST, str(folder / "rows.jsonl"), *WINDOWED)
    assert server.run(*args, cwd=path).code == 0
    return (path / "out.jsonl").read_bytes(), (path / "out.jsonl.manifest.json").read_bytes()


def is_whole_or_absent(folder: Path, straight: Any) -> bool:
    path = folder / "out.jsonl"
    return not path.exists() or path.read_bytes() == straight[0]


def killed_and_continued(
    generate: Callable[..., Ended], rows: str, folder: Path, straight: Any, **job: Any
) -> int:
    """Kill a run, look at what it left, run it again; the number of rows kept."""
    done = generate(rows, *WINDOWED, **job)
    assert done.code in (0, -signal.SIGKILL)
    assert is_whole_or_absent(folder, straight)
    again = generate(rows, *WINDOWED, "--json")
    assert again.code == 0, again.err
    assert (folder / "out.jsonl").read_bytes() == straight[0]
    assert (folder / "out.jsonl.manifest.json").read_bytes() == straight[1]
    assert names(folder) == ["out.jsonl", "out.jsonl.manifest.json"]
    for path in folder.iterdir():
        path.unlink()
    return json.loads(again.err)["kept"]


def kills(seed: int) -> Iterator[dict[str, Any]]:
    """Places to be killed at: in the middle of writes, before and after the steps of a commit."""
    draw = random.Random(seed)
    while True:
        n = draw.randint(1, 14)
        yield {"triggers": [{"on": "write", "n": n, "signal": signal.SIGKILL, "torn": True}]}
        yield {"triggers": [{"on": "write", "n": n, "signal": signal.SIGKILL}]}
        n = draw.randint(1, 6)
        on = draw.choice(["fsync", "replace", "unlink"])
        yield {"triggers": [{"on": on, "n": n, "signal": signal.SIGKILL}]}
        yield {"after": draw.uniform(0.2, 1.5)}


def continued(generate: Any, rows: str, folder: Path, straight: Any, seed: int, count: int) -> None:
    places = kills(seed)
    kept = [
        killed_and_continued(generate, rows, folder, straight, **next(places)) for _ in range(count)
    ]
    assert len(kept) == count
    assert all(n % 6 == 0 for n in kept)
    assert count < 20 or len(set(kept)) > 1  # among twenty the places differ


def test_a_killed_run_ends_with_the_bytes_of_a_straight_one(generate, rows, tmp_path, straight):
    continued(generate, rows, tmp_path, straight, seed=0, count=4)


@pytest.mark.slow
def test_twenty_kills_give_twenty_times_the_same_bytes(generate, rows, tmp_path, straight):
    continued(generate, rows, tmp_path, straight, seed=1, count=20)


def test_killed_again_and_again_it_gets_done(generate, rows, tmp_path, straight):
    """Each run is killed in its third write, of a window or of what follows the last."""
    trigger = {"on": "write", "n": 3, "signal": signal.SIGKILL, "torn": True}
    runs = 1
    while generate(rows, *WINDOWED, triggers=[trigger]).code != 0:
        assert is_whole_or_absent(tmp_path, straight)
        runs += 1
        assert runs < 20
    assert runs > 3
    assert (tmp_path / "out.jsonl").read_bytes() == straight[0]


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGINT, "int"), (signal.SIGTERM, "term"), (signal.SIGHUP, "hup")]
)
def test_a_signal_leaves_what_can_be_continued(generate, rows, tmp_path, straight, number, name):
    trigger = {"on": "write", "n": 5, "signal": number}
    done = generate(rows, *WINDOWED, triggers=[trigger])
    assert done.code == -number  # 128 + number, as a shell has it
    kept = len(read_rows(tmp_path / "out.jsonl.partial"))
    assert kept > 0
    assert "the same command goes on from there" in done.err
    assert "Traceback" not in done.err
    again = generate(rows, *WINDOWED)
    assert again.code == 0
    assert f"{kept // 6 * 6} kept from before" in again.err
    assert (tmp_path / "out.jsonl").read_bytes() == straight[0]


def test_other_settings_and_rows_are_refused(generate, rows, tmp_path):
    trigger = {"on": "write", "n": 5, "signal": signal.SIGKILL}
    generate(rows, *WINDOWED, triggers=[trigger])
    before = (tmp_path / "out.jsonl.partial").read_bytes()
    changed = generate(rows, *WINDOWED, "--seed", "1", "--top-k", "3")
    assert changed.code == 73
    assert "was begun with other settings (seed, top_k)" in changed.err
    assert "hint: --overwrite begins anew" in changed.err
    write_rows(tmp_path / "other.jsonl", ROWS[1:])
    others = generate("other.jsonl", *WINDOWED)
    assert (others.code, "was begun with other rows" in others.err) == (65, True)
    assert (tmp_path / "out.jsonl.partial").read_bytes() == before
    anew = generate("other.jsonl", *WINDOWED, "--seed", "1", "--overwrite")
    assert anew.code == 0
    assert len(read_rows(tmp_path / "out.jsonl")) == 46


def test_a_second_process_on_the_same_output_is_refused(generate, rows, tmp_path):
    import fcntl

    with open(tmp_path / "out.jsonl.partial", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = generate(rows, "-o", "out.jsonl")
    assert done.code == 75
    assert done.err == "error: out.jsonl: is being written by another process\n"


def test_an_explanation_goes_into_the_row(generate, rows):
    done = generate(rows, "--explain", "occlusion:unit=word,baseline=zero")
    first = json.loads(done.out.splitlines()[0])
    assert first["explanation"]["method"] == "occlusion"
    assert "question" in first["explanation"]["tokens"]
    wrong = generate(rows, "--explain", "occlusion:unit=letter")
    assert (wrong.code, wrong.out) == (2, "")
    assert "'occlusion': unit cannot be 'letter'" in wrong.err
