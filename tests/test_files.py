"""files: inputs of every kind read once and hashed, outputs whole or absent."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import sys
import threading
import time

import pytest

from instructune import files
from instructune.errors import UserError
from instructune.files import (
    check_creatable,
    check_distinct,
    check_outputs,
    open_input,
    open_output,
    sha256_file,
    shown,
    write_bytes,
)


def drained(name: str) -> tuple[bytes, str]:
    with open_input(name) as source:
        return source.stream.read(), source.sha256()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 3_000_000])
def test_an_input_is_read_whole_and_hashed_as_stored(write, size):
    data = os.urandom(size)
    assert drained(write("plain", data)) == (data, hashlib.sha256(data).hexdigest())
    stored = gzip.compress(data, 1)
    assert drained(write("gz", stored)) == (data, hashlib.sha256(stored).hexdigest())


def test_the_hash_is_of_everything_even_if_little_was_read(write):
    data = b"a\n" * 2_000_000
    with open_input(write("f", data)) as source:
        assert source.stream.readline() == b"a\n"
        assert source.sha256() == hashlib.sha256(data).hexdigest()


def test_a_pipe_that_fills_byte_by_byte_is_told_by_its_first_bytes(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    stored = gzip.compress(b'{"a":1}\n' * 1000)

    def feed() -> None:
        with open(fifo, "wb", buffering=0) as out:
            for byte in stored:
                out.write(bytes([byte]))

    threading.Thread(target=feed).start()
    assert drained(str(fifo)) == (b'{"a":1}\n' * 1000, hashlib.sha256(stored).hexdigest())


def test_enough_is_read_to_tell_what_a_slow_pipe_brings():
    class Slow:
        def __init__(self, data: bytes) -> None:
            self.data = io.BytesIO(data)

        def readinto(self, buffer) -> int:
            return self.data.readinto(memoryview(buffer)[:1])  # a byte at a time

    for size in (0, 3, 5000):
        stream = io.BufferedReader(files._HashingRaw(Slow(b"x" * size), "-"), 1 << 20)
        assert len(stream.peek(1)) == min(size, 4096)
        assert stream.read() == b"x" * size


def test_a_pipe_that_does_not_block_is_waited_for():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    raw = files._HashingRaw(io.FileIO(reading), "-")

    def feed() -> None:
        for part in (b"one ", b"two ", b"three"):
            time.sleep(0.01)
            os.write(writing, part)
        os.close(writing)

    threading.Thread(target=feed).start()
    assert io.BufferedReader(raw).read() == b"one two three"


@pytest.mark.parametrize(
    ("name", "reason", "code"),
    [
        ("none.jsonl", "no such file", 66),
        ("folder", "is a directory, not a file", 66),
        ("file/x", "cannot be opened (Not a directory)", 66),
        ("loop", "cannot be opened (Too many levels of symbolic links)", 66),
        ("x" * 300, "cannot be opened (File name too long)", 66),
        ("a\0b", "cannot be opened (embedded null byte)", 66),
        ("/proc/self/mem", "input/output error", 74),
    ],
)
def test_what_cannot_be_read(tmp_path, monkeypatch, name, reason, code):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UserError) as caught:
        drained(name)
    assert (caught.value.where, caught.value.reason, caught.value.code) == (name, reason, code)


def test_a_missing_file_is_guessed(tmp_path, write):
    write("train.jsonl", b"")
    with pytest.raises(UserError) as caught:
        drained(str(tmp_path / "trian.jsonl"))
    assert caught.value.hint == "did you mean 'train.jsonl'?"


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError, match="standard input is closed"):
        drained("-")


def test_a_file_that_changes_while_it_is_read_is_refused(write):
    name = write("f", b"one\n")
    with open_input(name) as source:
        source.stream.read()
        source.check_unchanged()
        with open(name, "ab") as more:
            more.write(b"two\n")
        with pytest.raises(UserError, match="changed while it was read"):
            source.check_unchanged()


@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_an_output_comes_back_as_input(tmp_path, suffix):
    name = str(tmp_path / f"out.jsonl{suffix}")
    with open_output(name) as out:
        out.write(b'{"a":1}\n' * 100_000)
    assert drained(name)[0] == b'{"a":1}\n' * 100_000
    assert (os.path.getsize(name) < 100_000) == bool(suffix)
    assert sha256_file(name) == drained(name)[1]


def test_a_failed_compressed_output_leaves_nothing(tmp_path):
    for suffix in (".gz", ".zst"):
        with pytest.raises(ValueError), open_output(str(tmp_path / f"out{suffix}")) as out:
            out.write(b"x" * 5_000_000)
            raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_a_fifo_gets_everything_or_nothing(tmp_path):
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    got: list[bytes] = []

    def take() -> threading.Thread:
        thread = threading.Thread(target=lambda: got.append(open(fifo, "rb").read()))  # noqa: SIM115
        thread.start()
        return thread

    reader = take()
    with open_output(fifo) as out:
        out.write(b"x" * 1_000_000)
    reader.join()
    reader = take()
    with pytest.raises(ValueError), open_output(fifo) as out:
        out.write(b"y" * 20_000_000)
        raise ValueError
    reader.join()
    assert got == [b"x" * 1_000_000, b""]
    assert stat.S_ISFIFO(os.stat(fifo).st_mode)


def test_a_reader_that_goes_away_is_a_broken_pipe(tmp_path):
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: open(fifo, "rb").close())  # noqa: SIM115
    reader.start()
    with pytest.raises(BrokenPipeError), open_output(fifo) as out:
        out.write(b"x" * 10_000_000)
    reader.join()


def test_standard_output_waits_for_the_end_of_the_block(capfdbinary):
    with open_output("-") as out:
        out.write(b"x" * 50_000)
        assert capfdbinary.readouterr().out == b""
    assert capfdbinary.readouterr().out == b"x" * 50_000
    with pytest.raises(ValueError), open_output("-") as out:
        out.write(b"y" * 10_000_000)
        raise ValueError
    assert capfdbinary.readouterr().out == b""


def test_standard_output_that_is_closed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UserError, match="standard output is closed"), open_output("-"):
        pass


def test_a_full_device_is_told():
    with pytest.raises(UserError) as caught:
        write_bytes("/dev/full", b"x")
    assert (caught.value.where, caught.value.code) == ("/dev/full", 74)


def test_a_spool_that_does_not_fit_says_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(UserError) as caught, open_output("-") as out:
        out.write(bytes(20 << 20))
    assert caught.value.code == 74
    assert "TMPDIR" in caught.value.hint


def test_a_directory_is_no_output(tmp_path):
    for refuse in (check_creatable, lambda name: write_bytes(name, b"")):
        with pytest.raises(UserError) as caught:
            refuse(str(tmp_path))
        assert (caught.value.reason, caught.value.code) == ("is a directory", 73)


def test_a_missing_directory_is_told_early_with_the_command_that_makes_it(tmp_path):
    name = str(tmp_path / "my data/out.jsonl")
    with pytest.raises(UserError) as caught:
        check_creatable(name)
    assert caught.value.code == 73
    assert caught.value.hint == f"create it first: mkdir -p '{tmp_path}/my data'"
    check_creatable(str(tmp_path / "out.jsonl"))
    check_creatable("-")
    check_creatable("/dev/null")


def test_an_input_is_never_overwritten(tmp_path, write):
    name = write("in", b"x")
    os.link(name, tmp_path / "hard")
    (tmp_path / "soft").symlink_to("in")
    for output in (name, str(tmp_path / "hard"), str(tmp_path / "soft")):
        with pytest.raises(UserError) as caught:
            check_distinct(["/dev/null", name], output)
        assert caught.value.code == 2
    check_distinct([name, "-"], str(tmp_path / "other"))
    check_distinct([name, "-"], "-")
    check_distinct(["/dev/null"], "/dev/null")
    check_distinct(["none"], "none")


@pytest.mark.parametrize("names", [["-", "-"], ["a", "./a"], ["a", "link"]])
def test_two_outputs_cannot_share_a_place(tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("a")
    with pytest.raises(UserError) as caught:
        check_outputs(names)
    assert caught.value.code == 2
    check_outputs(["a", "b", "-", "/dev/null", "/dev/null"])


def test_a_name_that_is_not_utf_8_can_be_shown():
    assert shown(os.fsdecode(b"caf\xe9.jsonl")) == "caf\\xe9.jsonl"
    assert shown("café") == "café"
