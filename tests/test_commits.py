"""commits: whole files and directories or none, whatever goes wrong on the way."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from instructune import commits
from instructune.commits import committed_directory, io_error, replacing
from instructune.errors import UserError


def test_a_file_appears_when_the_block_ends(tmp_path, temporaries):
    target = tmp_path / "out"
    with replacing(str(target)) as out:
        out.write(b"new")
        assert not target.exists()
        assert len(temporaries()) == 1
    assert target.read_bytes() == b"new"
    assert temporaries() == []


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_what_stood_there_and_nothing_else(tmp_path, temporaries, failure):
    target = tmp_path / "out"
    target.write_bytes(b"old")
    with pytest.raises(failure), replacing(str(target)) as out:
        out.write(b"new" * 1_000_000)
        raise failure
    assert target.read_bytes() == b"old"
    assert temporaries() == []


@pytest.mark.parametrize("call", ["write", "fsync", "replace", "open"])
@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, 74), (errno.EIO, 74), (errno.EROFS, 77), (errno.EACCES, 77)]
)
def test_any_failing_call_is_told_and_undone(
    tmp_path, temporaries, monkeypatch, call, number, code
):
    target = tmp_path / "out"
    target.write_bytes(b"old")

    def fail(*given, **more):
        raise OSError(number, os.strerror(number))

    with pytest.raises(UserError) as caught, monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with replacing(str(target)) as out:
            out.write(b"new")
    assert caught.value.where == str(target)
    assert caught.value.code == code
    assert target.read_bytes() == b"old"
    assert temporaries() == []


def test_a_full_disk_is_told_with_a_hint_even_after_megabytes(tmp_path, temporaries, monkeypatch):
    real, written = os.write, []

    def full(descriptor, data):
        written.append(len(data))
        if sum(written) > 3 << 20:
            raise OSError(errno.ENOSPC, "full")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(UserError) as caught, replacing(str(tmp_path / "out")) as out:
        for _ in range(100):
            out.write(bytes(1 << 16))
    assert caught.value.code == 74
    assert caught.value.reason == "no space left on device"
    assert caught.value.hint == "free some space; what stood there before is untouched"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_does_not_hide_what_went_wrong_before(tmp_path, monkeypatch):
    def full(descriptor, data):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ValueError, match="first"), replacing(str(tmp_path / "out")) as out:
        out.write(b"x")  # stays in the buffer
        raise ValueError("first")


def test_short_writes_are_gone_on_with(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:1000]))
    with replacing(str(tmp_path / "out")) as out:
        out.write(bytes(range(256)) * 100)
    assert (tmp_path / "out").read_bytes() == bytes(range(256)) * 100


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o000, 0o666)])
def test_the_mode_of_a_new_file_follows_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        with replacing(str(tmp_path / "out")) as out:
            out.write(b"x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


def test_the_mode_of_an_older_file_stays(tmp_path):
    target = tmp_path / "out"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with replacing(str(target)) as out:
        out.write(b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    link = tmp_path / "link"
    link.symlink_to("real/file")
    for data in (b"one", b"two"):  # at first it points to nothing
        with replacing(str(link)) as out:
            out.write(data)
        assert link.is_symlink()
        assert (tmp_path / "real/file").read_bytes() == data


def test_a_name_of_255_bytes_can_be_written(tmp_path):
    name = "é" * 127 + "x"
    with replacing(str(tmp_path / name)) as out:
        out.write(b"x")
    assert os.listdir(tmp_path) == [name]


@pytest.mark.parametrize(("name", "code"), [("none/out", 73), ("file/out", 73), ("x" * 300, 74)])
def test_a_place_that_cannot_be(tmp_path, name, code):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError) as caught, replacing(str(tmp_path / name)) as out:
        out.write(b"x")
    assert caught.value.code == code
    assert caught.value.where == str(tmp_path / name)


HOLD = """
import sys, time
from instructune.commits import {function}
from pathlib import Path
with {function}({kind}(sys.argv[1])) as out:
    {action}
    print("open", flush=True)
    sys.stdin.read()
"""
HOLD_FILE = HOLD.format(function="replacing", kind="str", action="out.write(b'x'); out.flush()")
HOLD_FOLDER = HOLD.format(
    function="committed_directory", kind="Path", action="(out / 'part').write_bytes(b'x')"
)


def holding(program: str, target: Path) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(target)], stdin=-1, stdout=-1, stderr=-1
    )
    assert child.stdout
    assert child.stdout.readline() == b"open\n"
    return child


@pytest.mark.parametrize("folder", [False, True])
def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path, temporaries, folder):
    target = tmp_path / "out"
    child = holding(HOLD_FOLDER if folder else HOLD_FILE, target)
    (tmp_path / ".out.other").write_bytes(b"not ours")

    def write() -> None:
        if folder:
            with committed_directory(target) as place:
                (place / "whole").write_bytes(b"y")
        else:
            with replacing(str(target)) as out:
                out.write(b"y")

    write()
    assert len(temporaries()) == 2  # it lives, so its temporary stays
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert len(temporaries()) == 2
    write()
    assert temporaries() == [".out.other"]


def test_a_directory_appears_whole_with_the_umask_s_mode(tmp_path, temporaries):
    target = tmp_path / "a/b/run"
    before = os.umask(0o027)
    try:
        with committed_directory(target) as place:
            (place / "sub").mkdir()
            (place / "sub/file").write_bytes(b"x")
            assert stat.S_IMODE(place.stat().st_mode) == 0o700
            assert not target.exists()
    finally:
        os.umask(before)
    assert (target / "sub/file").read_bytes() == b"x"
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert temporaries() == []


@pytest.mark.parametrize("atomic", [True, False])
def test_an_older_directory_is_replaced_as_a_whole(tmp_path, temporaries, monkeypatch, atomic):
    if not atomic:
        monkeypatch.setattr(commits, "_exchange", lambda one, other: False)
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_bytes(b"")
    with committed_directory(target) as place:
        (place / "new").write_bytes(b"")
        assert os.listdir(target) == ["old"]
    assert os.listdir(target) == ["new"]
    assert temporaries() == []
    assert os.listdir(tmp_path) == ["run"]


def test_exchange_swaps_two_directories_in_one_step(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"in {name}").write_bytes(b"")
    if not commits._exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot swap names")
    assert os.listdir(tmp_path / "a") == ["in b"]
    assert os.listdir(tmp_path / "b") == ["in a"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failed_directory_leaves_the_older_one(tmp_path, temporaries, failure):
    target = tmp_path / "run"
    target.mkdir()
    (target / "old").write_bytes(b"")
    with pytest.raises(failure), committed_directory(target) as place:
        (place / "new").write_bytes(b"")
        raise failure
    assert os.listdir(target) == ["old"]
    assert temporaries() == []


def test_a_directory_never_takes_the_place_of_a_file(tmp_path):
    target = tmp_path / "run"
    target.write_bytes(b"precious")
    with pytest.raises(UserError) as caught, committed_directory(target):
        pass
    assert caught.value.code == 73
    assert target.read_bytes() == b"precious"


def test_a_directory_below_a_file_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError) as caught, committed_directory(tmp_path / "file/run"):
        pass
    assert caught.value.code == 73


def test_a_full_disk_inside_a_directory_is_told(tmp_path, temporaries):
    with pytest.raises(UserError) as caught, committed_directory(tmp_path / "run"):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.code == 74
    with pytest.raises(FileNotFoundError), committed_directory(tmp_path / "run"):
        (tmp_path / "none").read_bytes()  # somebody else's affair
    assert temporaries() == []


def test_everything_in_a_directory_is_synced_before_it_is_renamed(tmp_path, monkeypatch):
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with committed_directory(tmp_path / "run") as place:
        (place / "sub").mkdir()
        (place / "sub/file").write_bytes(b"x")
        inside = {str(place), str(place / "sub"), str(place / "sub/file")}
    assert set(synced) == inside | {str(tmp_path)}
    assert synced[-1] == str(tmp_path)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOENT, 73),
        (errno.ENOTDIR, 73),
        (errno.EEXIST, 73),
        (errno.ENOSPC, 74),
        (errno.EDQUOT, 74),
        (errno.EIO, 74),
        (errno.ENAMETOOLONG, 74),
        (errno.EACCES, 77),
        (errno.EPERM, 77),
        (errno.EROFS, 77),
    ],
)
def test_the_exit_code_of_an_os_error(number, code):
    assert io_error(OSError(number, ""), "out").code == code
