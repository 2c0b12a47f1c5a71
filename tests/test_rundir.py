"""A run directory: its lock, its log, its documents."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from instructune.errors import Exit, UserError
from instructune.rundir import RunDir, open_run


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    (tmp_path / "run").mkdir()
    return RunDir(tmp_path / "run")


def test_a_run_in_use_is_refused_and_names_its_owner(run: RunDir) -> None:
    with run.locked():
        with pytest.raises(UserError) as raised, RunDir(run.path).locked():
            pass
        assert raised.value.code == Exit.LOCKED
        assert raised.value.reason == f"is in use by process {os.getpid()}"
        assert raised.value.where == str(run.path)
    with run.locked():
        pass


def test_the_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "a/b/run")
    with run.locked():
        assert run.path.is_dir()


@pytest.mark.parametrize("place", ["file", "file/run"])
def test_a_file_in_the_way(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    locked = RunDir(tmp_path / place).locked()
    with pytest.raises(UserError, match="is not a directory") as raised, locked:
        pass
    assert raised.value.code == Exit.CANNOT_CREATE


def test_a_place_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    locked = RunDir(tmp_path / "run").locked()
    with pytest.raises(UserError, match="permission denied") as raised, locked:
        pass
    assert raised.value.code == Exit.PERMISSION


RACE = """
import os, sys
from instructune.errors import UserError
from instructune.rundir import RunDir

folder, races = sys.argv[1], int(sys.argv[2])
for race in range(races):
    path = os.path.join(folder, f"run-{race}")
    start, started = os.pipe()
    told, tell = os.pipe()
    wait, release = os.pipe()
    for _ in range(2):
        if not os.fork():
            os.close(started), os.close(release)
            os.read(start, 1)
            try:
                with RunDir(path).locked():
                    os.write(tell, b"w")
                    os.read(wait, 1)
                    os.kill(os.getpid(), 9)
            except UserError as error:
                os.write(tell, b"l" if error.code == 75 else b"?")
                os._exit(0)
            os._exit(1)
    os.close(started)
    outcome = os.read(told, 1) + os.read(told, 1)
    os.close(release)
    codes = sorted(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2))
    for descriptor in (start, told, tell, wait):
        os.close(descriptor)
    with RunDir(path).locked():  # free again though its owner was killed
        assert (sorted(outcome), codes) == (sorted(b"wl"), [-9, 0]), (outcome, codes)
print(races)
"""


def test_of_two_starters_one_wins_and_a_killed_owner_lets_go(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path), "100"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout, result.stderr) == (0, "100\n", "")


def test_a_lock_whose_file_was_removed_is_not_held(run: RunDir) -> None:
    """The loser of a race may have opened the file that the failing winner then removed."""
    real = os.open
    removed = []

    def opened(path: object, *given: object, **options: object) -> int:
        descriptor = real(path, *given, **options)  # type: ignore[arg-type]
        if not removed:
            removed.append(path)
            os.unlink(path)  # type: ignore[arg-type]
        return descriptor

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "open", opened)
        with run.locked():
            assert (run.path / ".lock").is_file()
            with pytest.raises(UserError), RunDir(run.path).locked():
                pass
    assert removed == [run.path / ".lock"]


def test_events_are_lines_and_can_be_cut_off(run: RunDir) -> None:
    with run.log() as log:
        log.append({"event": "step", "step": 1, "loss": 0.1})
        size = log.sync()
        log.append({"event": "step", "step": 2, "loss": 0.25})
    lines = run.log_path.read_bytes().splitlines(keepends=True)
    assert [json.loads(line)["step"] for line in lines] == [1, 2]
    assert size == len(lines[0])
    run.cut_log(size)
    assert run.log_path.read_bytes() == lines[0]
    with run.log() as log:
        log.append({"event": "step", "step": 2, "loss": 0.25})
        assert log.sync() == len(b"".join(lines))
    assert run.log_path.read_bytes() == b"".join(lines)


def test_a_torn_last_line_is_no_event(run: RunDir) -> None:
    run.log_path.write_bytes(b'{"event":"step","step":1}\n{"event":"st')
    assert run.events() == [{"event": "step", "step": 1}]
    assert RunDir(run.path / "none").events() == []


def test_a_log_shorter_than_the_checkpoint_says_is_not_filled_up(run: RunDir) -> None:
    run.log_path.write_bytes(b'{"a":1}\n')
    run.cut_log(1000)
    assert run.log_path.read_bytes() == b'{"a":1}\n'
    run.cut_log(0)
    assert run.log_path.read_bytes() == b""
    RunDir(run.path / "none").cut_log(0)


def test_a_full_disk_is_an_io_error(run: RunDir) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with run.log() as log:
        log.append({"step": 1})
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
        try:
            with pytest.raises(UserError, match="file too large") as raised:
                log.append({"step": 2, "words": "x" * 50})  # half of it fits
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.code == Exit.IO
    assert run.events() == [{"step": 1}]


def test_the_document(run: RunDir) -> None:
    assert not run.exists
    assert run.document() is None
    run.write_document({"state": "running", "seed": 0})
    assert run.exists
    assert run.document() == {"state": "running", "seed": 0}
    assert open_run(run.path)[1] == {"state": "running", "seed": 0}
    for text in ("[]", "{", ""):
        (run.path / "run.json").write_text(text)
        with pytest.raises(UserError) as raised:
            run.document()
        assert raised.value.code == Exit.BAD_DATA


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run directory") as raised:
        open_run(tmp_path)
    assert raised.value.code == Exit.NO_INPUT


def test_weights_are_the_adapter_where_there_is_one(run: RunDir) -> None:
    assert run.weights == run.path / "model"
    (run.path / "adapter").mkdir()
    assert run.weights == run.path / "adapter"
