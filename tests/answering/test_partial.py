"""FILE.partial: whole windows survive anything, and never meet other settings or other hands."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.answering.partial import Partial
from instructune.errors import Exit, UserError

SETTINGS = {"model": "abc", "seed": 0}
ROWS = [{"id": str(i), "prediction": "é" * i} for i in range(7)]


def begin(output: str, rows: list[Any], settings: dict[str, Any] = SETTINGS) -> None:
    """Write rows and stop before the end."""
    partial = Partial(output, settings, overwrite=False)
    with partial.opened(1):
        partial.append(rows)


@pytest.fixture
def output(tmp_path: Path) -> str:
    return str(tmp_path / "out.jsonl")


def kept(output: str, window: int, **options: Any) -> list[Any]:
    partial = Partial(output, options.get("settings", SETTINGS), overwrite="overwrite" in options)
    with partial.opened(window):
        return list(partial.rows())


@pytest.mark.parametrize(("window", "count"), [(1, 7), (2, 6), (3, 6), (4, 4), (7, 7), (8, 0)])
def test_whole_windows_are_kept(output, window, count):
    begin(output, ROWS)
    assert kept(output, window) == ROWS[:count]


@given(cut=st.integers(0, 200), window=st.integers(1, 4))
def test_whatever_a_kill_leaves_the_rest_is_whole_windows(tmp_path_factory, cut, window):
    output = str(tmp_path_factory.mktemp("cut") / "out.jsonl")
    begin(output, ROWS)
    path = Path(f"{output}.partial")
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    lines = data[:cut].count(b"\n")
    assert kept(output, window) == ROWS[: lines // window * window]


def test_rows_are_appended_to_those_that_stay(output):
    begin(output, ROWS[:5])
    partial = Partial(output, SETTINGS, overwrite=False)
    with partial.opened(2):
        partial.append(ROWS[4:])
        assert list(partial.rows()) == ROWS
        partial.commit()
        partial.remove()
    lines = Path(output).read_text().splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert [path.name for path in Path(output).parent.iterdir()] == ["out.jsonl"]


def test_the_output_appears_only_whole(output):
    partial = Partial(output, SETTINGS, overwrite=False)
    with partial.opened(1):
        partial.append(ROWS)
        assert not Path(output).exists()
        partial.commit()
        assert len(Path(output).read_text().splitlines()) == 7


def test_after_the_commit_nothing_is_left_to_compute(output):
    """Killed between the output and its manifest, the next run finds all rows."""
    partial = Partial(output, SETTINGS, overwrite=False)
    with partial.opened(1):
        partial.append(ROWS)
        partial.commit()
    assert kept(output, 1) == ROWS


def test_other_settings_are_refused_by_name(output):
    begin(output, ROWS)
    with pytest.raises(UserError) as caught:
        kept(output, 1, settings={"model": "xyz", "seed": 0, "new": 1})
    assert caught.value.code == Exit.CANNOT_CREATE
    assert caught.value.reason == "was begun with other settings (model, new)"
    assert caught.value.hint == "--overwrite begins anew"
    assert kept(output, 1) == ROWS


def test_overwrite_begins_anew(output):
    begin(output, ROWS)
    other = {"model": "xyz"}
    assert kept(output, 1, settings=other, overwrite=True) == []
    begin(output, ROWS[:1], other)
    assert kept(output, 1, settings=other) == ROWS[:1]


def test_rows_without_settings_are_not_trusted(output):
    """Killed between the two files of a new partial."""
    begin(output, ROWS)
    Path(f"{output}.partial.json").unlink()
    assert kept(output, 1) == []


def test_damaged_rows_are_not_continued(output):
    begin(output, ROWS)
    path = Path(f"{output}.partial")
    path.write_bytes(path.read_bytes().replace(b'"id":"3"', b'"id":"3'))
    with pytest.raises(UserError, match="is damaged"):
        kept(output, 1)


def test_a_second_process_is_refused(output):
    partial = Partial(output, SETTINGS, overwrite=False)
    with partial.opened(1):
        partial.append(ROWS)
        for overwrite in (False, True):
            with pytest.raises(UserError, match="another process") as caught:
                Partial(output, SETTINGS, overwrite=overwrite).opened(1).__enter__()
            assert caught.value.code == Exit.LOCKED
        assert list(partial.rows()) == ROWS


def test_who_waited_for_the_lock_does_not_touch_the_output(output, monkeypatch):
    """The file may be removed between its opening and its locking; then it is another's."""
    begin(output, ROWS)
    flock, raced = __import__("fcntl").flock, []

    def race(descriptor: int, how: int) -> None:
        if not raced:
            raced.append(os.fstat(descriptor).st_ino)
            os.rename(f"{output}.partial", output)
        flock(descriptor, how)

    monkeypatch.setattr("instructune.answering.partial.fcntl.flock", race)
    assert kept(output, 1, overwrite=True) == []
    assert Path(output).stat().st_ino == raced[0]
    assert len(Path(output).read_bytes().splitlines()) == 7


def test_nothing_is_left_where_nothing_was_made(output):
    with pytest.raises(RuntimeError), Partial(output, SETTINGS, overwrite=False).opened(1):
        raise RuntimeError
    assert list(Path(output).parent.iterdir()) == []


def test_a_full_disk_keeps_what_was_written(output, monkeypatch):
    begin(output, ROWS[:2])
    partial = Partial(output, SETTINGS, overwrite=False)
    write, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, bytes(data)[:40])  # a row and a bit

    with pytest.raises(UserError) as caught, partial.opened(1):
        monkeypatch.setattr("instructune.answering.partial.os.write", full)
        partial.append(ROWS[2:])
    monkeypatch.undo()
    assert caught.value.code == Exit.IO
    assert caught.value.where == f"{output}.partial"
    assert kept(output, 1) == ROWS[:3]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    missing = str(tmp_path / "none/out.jsonl")
    with pytest.raises(UserError, match="no such directory") as caught:
        Partial(missing, SETTINGS, overwrite=False).opened(1).__enter__()
    assert caught.value.code == Exit.CANNOT_CREATE


def test_a_link_keeps_pointing_where_it_pointed(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there/real.jsonl", tmp_path / "link.jsonl"
    target.write_text("old")
    target.chmod(0o600)
    link.symlink_to(target)
    partial = Partial(str(link), SETTINGS, overwrite=False)
    with partial.opened(1):
        partial.append(ROWS)
        partial.commit()
        partial.remove()
    assert link.is_symlink()
    assert len(target.read_text().splitlines()) == 7
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
