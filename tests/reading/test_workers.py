"""workers: what they make does not depend on how many they are, and none outlives its parent."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instructune.configs import PrepareConfig
from instructune.errors import UserError
from instructune.filters import filters
from instructune.reading import blocks, workers
from instructune.reading.rowwork import Outcome
from instructune.reading.steps import Question
from instructune.reading.tally import Tally
from instructune.stages.prepare import prepare
from instructune.transforms import transforms

TEXT = "the cat sat on a mat with her brother and ate 3 large pies at 10.0.0.1 because why"
NEEDED = {
    "filter": {
        "contamination": "contamination:against=eval.jsonl",
        "duplicates": "duplicates:near=0.5",
        "length": "length:max_prompt_words=20",
        "language": "language:allow=en",
        "words": "words:file=words.txt",
    },
    "transform": {
        "boilerplate": "boilerplate:file=words.txt",
        "stopwords": "stopwords:file=words.txt",
        "swap": "swap:file=pairs.tsv",
        "synonyms": "synonyms:file=pairs.tsv",
    },
}


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(blocks, "_BYTES", 300)
    monkeypatch.setattr(blocks, "_ROWS", 3)


def rows(number: int = 60) -> list[object]:
    draw = random.Random(3)
    found: list[object] = []
    for n in range(number):
        said = " ".join(draw.choices(TEXT.split(), k=draw.randint(1, 30)))
        turns = [{"role": "user", "content": said}, {"role": "assistant", "content": said[:40]}]
        found += [
            {"messages": turns, "n": n, "annotations": {"a": n % 2, "b": n % 3}},
            {"text": said[:9]},
            {"text": said, "id": n % 50},
            n,
        ]
    return found


def outputs(processes: int, **config: object) -> dict[str, bytes]:
    """All files that `prepare` writes, by name."""
    places = {"output": "out.jsonl", "dropped": "dropped.jsonl", "rejects": "bad.jsonl"}
    how = {"sources": ("in.jsonl",), "bad_rows": "quarantine"} | places | config
    prepared = prepare(PrepareConfig(**how, workers=processes))  # type: ignore[arg-type]
    names = sorted(str(path) for path in Path().glob("*") if path.name.startswith(("o", "d", "b")))
    found = {name: Path(name).read_bytes() for name in names}
    told = {"explained": prepared.explained, "noticed": prepared.noticed}
    return found | {name: repr(value).encode() for name, value in told.items()}


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"id": "prefix", "sources": ("in.jsonl", "in.csv")},
        {"transform": ("clean", "redact"), "filter": ("duplicates", "length:min_prompt_words=2")},
        {
            "filter": ("length:max_prompt_words=20", "duplicates:on=answer", "duplicates"),
            "explain": ("5",),
        },
        {"split": "train=0.7,test=0.3", "output": "out-{split}.jsonl", "report": "b.html"},
    ],
)
def test_no_byte_depends_on_their_number(write, config):
    write("in.jsonl", rows())
    write("in.csv", "text,id\n" + "".join(f"row {n},{n % 9}\n" for n in range(40)))
    alone = outputs(1, **config)
    assert alone["bad.jsonl"].count(b"\n") > 60
    assert b"'disagreeing': 40" in alone["noticed"]  # n % 2 and n % 3 differ for 4 of each 6
    assert outputs(3, **config) == alone
    assert outputs(2, **config) == alone


@pytest.mark.parametrize("kind", ["transform", "filter"])
def test_no_step_remembers_what_another_process_has_seen(write, kind):
    """Each plug-in of both families; what remembers must say so by `answer` or `whole`."""
    write("in.jsonl", rows(20))
    write("eval.jsonl", [{"text": "the cat sat on a mat with her brother and ate 3 large pies"}])
    write("words.txt", "cat\npies\n")
    write("pairs.tsv", "cat\tdog\nhis\ther\n")
    family = transforms if kind == "transform" else filters
    for name in family.names():
        spec = {kind: (NEEDED[kind].get(name, name),)}
        assert outputs(3, **spec) == outputs(1, **spec), name


KINDS = [b'{"text":"a"}', b'{"text":"b","id":"x"}', b'{"text":" "}', b"", b"{", b"\xff", b"{}"]
LINES = st.lists(st.sampled_from(KINDS), min_size=1, max_size=120)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_dirty_files_come_out_the_same(write, lines):
    write("in.jsonl", b"\n".join(lines))
    found = []
    for processes in (1, 2):
        try:
            found.append(outputs(processes, transform=("clean",)))
        except UserError as error:
            found.append({"error": str(error).encode()})
    assert found[0] == found[1]


class Sleepy:
    """Work that takes longest where it began first, and asks twice."""

    def __call__(self, block):
        number = block.before
        if number == 7:
            raise UserError("seven", where="f:7")
        first = yield Question(0, [number])
        time.sleep((number % 3 == 0) * 0.02)
        second = yield Question(1, [number * 10])
        return Outcome("f", [], [], {}, Tally(), gleaned=[*first, *second])


class Diary:
    """A memory that writes down what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return 2

    def answer(self, question):
        self.asked += [(question.part, key) for key in question.keys]
        return list(question.keys)


def some(number: int):
    return (blocks.Block("f", b"x\n", before=n) for n in range(number))


def test_the_memory_is_asked_in_the_order_of_blocks():
    diary = Diary()
    found = list(workers.outcomes(some(7), Sleepy(), diary, 3))  # type: ignore[arg-type]
    assert [outcome.gleaned for outcome in found] == [[n, n * 10] for n in range(7)]
    assert [key for part, key in diary.asked if part == 0] == list(range(7))
    assert [key for part, key in diary.asked if part == 1] == [n * 10 for n in range(7)]


def test_more_than_a_pipe_holds_both_ways_at_once():
    """Long blocks while long outcomes come back: neither side may wait for the other."""

    class Echo:
        def __call__(self, block):
            told = yield Question(0, [block.lines])
            return Outcome("f", [], [], {}, Tally(), gleaned=[told, block.lines])

    long = b"x" * (1 << 20) + b"\n"
    given = (blocks.Block("f", long, before=n) for n in range(20))
    found = list(workers.outcomes(given, Echo(), Diary(), 2))  # type: ignore[arg-type]
    assert [outcome.gleaned for outcome in found] == [[[long], long]] * 20


def test_what_goes_wrong_is_raised_in_its_turn():
    found = []
    with pytest.raises(UserError, match="f:7: seven"):
        for outcome in workers.outcomes(some(30), Sleepy(), Diary(), 3):  # type: ignore[arg-type]
            found.append(outcome.gleaned[0])  # noqa: PERF401
    assert found == list(range(7))
    with pytest.raises(UserError, match="f: broken"):
        list(workers.outcomes(_breaking(), Sleepy(), Diary(), 2))  # type: ignore[arg-type]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_a_step_that_fails_before_the_file_does_is_told_first(processes):
    """However few blocks there are: none is looked at ahead of its turn."""
    stream = workers.outcomes(_breaking_after(2), Failing(), Diary(), processes)  # type: ignore[arg-type]
    with pytest.raises(UserError, match="f:1: one"):
        list(stream)


class Failing:
    """Work that fails on the second block."""

    def __call__(self, block):
        if block.before == 1:
            raise UserError("one", where="f:1")
        return Outcome("f", [], [], {}, Tally())
        yield


def _breaking_after(count):
    yield from some(count)
    raise UserError("broken", where="f")


def _breaking():
    yield from some(5)
    raise UserError("broken", where="f")


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "ended early .exit code -9"),
        (lambda: 1 // 0, "ZeroDivisionError"),
    ],
)
def test_a_worker_that_dies_or_breaks_is_told(does, says):

    class Work:
        def __call__(self, block):
            yield Question(0, [])
            return does()

    with pytest.raises((UserError, RuntimeError), match=says):
        list(workers.outcomes(some(9), Work(), Diary(), 2))  # type: ignore[arg-type]


def children(pid: int) -> set[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return set(map(int, found))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_none_outlives_its_parent(tmp_path, number):
    command = [sys.executable, "-m", "instructune", "prepare", "-", "-o", "out.jsonl"]
    process = subprocess.Popen(
        [*command, "--workers", "2"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdin
    line = json.dumps({"text": "word " * 2000}).encode() + b"\n"
    process.stdin.write(line * 200)
    process.stdin.flush()
    started = time.monotonic()
    while not (found := children(process.pid)) and time.monotonic() < started + 30:
        time.sleep(0.01)
    assert len(found) in (1, 2)
    process.send_signal(number)
    process.wait(30)
    while any(Path(f"/proc/{child}").exists() and _runs(child) for child in found):
        assert time.monotonic() < started + 60
        time.sleep(0.01)
    process.stdin.close()
    assert process.stderr
    process.stderr.close()
    assert process.returncode == -number


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False
