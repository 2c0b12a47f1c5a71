"""The prepare command, as a shell sees it: data, messages, exit codes, and what is left behind."""

from __future__ import annotations

import gzip
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROWS = b"".join(b'{"text":"row %d"}\n' % n for n in range(20))
TUNE = f"{shlex.quote(sys.executable)} -m instructune"


def shell(command: str, cwd: Path, **how) -> subprocess.CompletedProcess[bytes]:
    script = f"set -o pipefail\n{command}"
    given = {"cwd": cwd, "capture_output": True, "timeout": 60, "stdin": subprocess.DEVNULL}
    return subprocess.run(["bash", "-c", script], **given | how)


def texts(data: bytes) -> list[str]:
    return [json.loads(line)["text"] for line in data.splitlines()]


@pytest.fixture
def rows(write) -> str:
    write("rows.jsonl", ROWS)
    return "rows.jsonl"


def test_the_report_goes_to_stderr_and_rows_to_stdout(tune, rows):
    done = tune("prepare", rows)
    assert done.returncode == 0
    assert texts(done.stdout) == [f"row {n}" for n in range(20)]
    assert done.stderr == b"20 rows in = 20 out -> -\n  formats: 20 text\n"


def test_the_report_in_full(run, write):
    write("in.jsonl", b'{"text":"a","positive":1}\n\n{"text":""}\nx\n{"text":"b"}\n')
    done = run(
        *("prepare", "in.jsonl", "-o", "out.jsonl", "--bad-rows", "quarantine", "--rejects", "bad")
    )
    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == (
        "4 rows in = 2 out + 2 rejected (1 text is empty, 1 not JSON …) -> out.jsonl\n"
        "  formats: 2 text\n"
        "  1 blank lines passed over\n"
        "  column 'positive' kept as fields.positive (1 rows)\n"
    )
    done = run("prepare", "in.jsonl", "-o", "o", "--bad-rows=quarantine", "--rejects=b", "--json")
    assert json.loads(done.stderr) == {
        "rows_in": 4,
        "out": 2,
        "rejected": {"text is empty": 1, "not JSON …": 1},
        "formats": {"text": 2},
        "notes": {"column 'positive' kept as fields.positive": 1},
        "blank_lines": 1,
    }


@pytest.mark.parametrize("args", [(), ("-",)])
def test_a_pipe_needs_no_name_and_is_called_dash(tune, args):
    done = tune("prepare", *args, input=gzip.compress(ROWS))
    assert [json.loads(line)["origin"] for line in done.stdout.splitlines()] == [
        f"-:{n}" for n in range(1, 21)
    ]


def test_an_array_or_a_pretty_object_by_pipe(tune):
    assert texts(tune("prepare", input=b' [\n{"text":"a"}]').stdout) == ["a"]
    assert texts(tune("prepare", input=b'{\n"text":"a"\n}').stdout) == ["a"]


def test_a_terminal_is_no_input():
    master, slave = os.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "instructune", "prepare"], stdin=slave, capture_output=True
        )
    finally:
        os.close(master)
        os.close(slave)
    assert done.returncode == 2
    assert done.stderr == b"error: no input\n  hint: name a file, or pipe rows in\n"


def test_a_bad_row_is_one_error_and_no_data(tune, write):
    write("in.jsonl", ROWS + b"oops\n")
    done = tune("prepare", "in.jsonl", "-o", "-")
    assert (done.returncode, done.stdout) == (65, b"")
    assert done.stderr == (
        b"error: in.jsonl:21: not JSON (expecting value at column 1)\n"
        b"  hint: mend them, or use --bad-rows quarantine --rejects FILE\n"
    )


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["rosw.jsonl"], 66, "rosw.jsonl: no such file\n  hint: did you mean 'rows.jsonl'?"),
        (["*.csv"], 66, "*.csv: no file matches"),
        (["rows.jsonl", "-o", "none/x"], 73, "none/x: no such directory 'none'"),
        (["rows.jsonl", "-o", "."], 73, ".: is a directory"),
        (["rows.jsonl", "-o", "rows.jsonl"], 2, "rows.jsonl: is also an input"),
        (["empty"], 65, "empty: no rows\n  hint: a producer that failed leaves an empty pipe"),
        (["rows.jsonl", "--format", "txet"], 2, "unknown format 'txet'\n  hint: did you mean"),
        (["rows.jsonl", "--field", "text"], 2, "--field: expected name=column, got 'text'"),
        (["rows.jsonl", "--id", "new"], 2, "--id: unknown value 'new'"),
        (["rows.jsonl", "--bad-rows", "quarantine"], 2, "--bad-rows quarantine and --rejects"),
        (["rows.jsonl", "--config", "no.toml"], 66, "no.toml: no such file"),
        (["-", "-"], 2, "-: standard input can be read only once"),
        (["a\x1b[31m\n.jsonl"], 66, "a\\x1b[31m\n.jsonl: no such file"),
    ],
)
def test_wrong_use_and_missing_files(run, rows, write, temporaries, args, code, message):
    write("empty", b"")
    done = run("prepare", *args)
    assert done.exit_code == code
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {message}")
    as_json = run("prepare", *args, "--json")
    assert as_json.exit_code == code
    told = json.loads(as_json.stderr)
    assert (told["code"], list(told)) == (code, ["error", "where", "hint", "code"])
    assert temporaries() == []


def test_a_failed_producer_gives_its_consumer_nothing(tmp_path, write):
    write("in.jsonl", ROWS * 500 + b"oops\n")
    done = shell(f"{TUNE} prepare in.jsonl --id hash | {TUNE} prepare -o out.jsonl", tmp_path)
    assert done.returncode == 65
    assert b"error: in.jsonl:10001: not JSON" in done.stderr
    assert b"error: -: no rows" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("taker", ["head -n 1", "true"])
def test_a_closed_pipe_is_silent_and_141(tmp_path, write, taker):
    write("in.jsonl", ROWS * 500)
    done = shell(f"{TUNE} prepare in.jsonl --id hash 2>err | {taker}; echo $?", tmp_path)
    assert done.stdout.splitlines()[-1] == b"141"
    assert (tmp_path / "err").read_bytes() == b""


def test_help_into_a_closed_pipe_is_141_too(tmp_path):
    for command in ("--help", "prepare --help"):
        # the pipe's reader is gone before the writer starts
        done = shell(f"(sleep 0.05; {TUNE} {command}) 2>err | exec 0<&-; echo $?", tmp_path)
        assert done.stdout == b"141\n"
        assert (tmp_path / "err").read_bytes() == b""


@pytest.mark.parametrize(
    ("redirect", "code"), [(">&-", 74), ("> /dev/full", 74), ("-o /dev/full", 74), ("<&-", 0)]
)
def test_closed_and_full_streams(tmp_path, rows, redirect, code):
    done = shell(f"{TUNE} prepare {rows} {redirect}", tmp_path)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) in (1, 2)
    assert b"Traceback" not in done.stderr


def test_closed_standard_streams_are_not_mistaken_for_files(tmp_path, rows):
    command = f"{TUNE} prepare {rows} -o - --bad-rows quarantine --rejects bad >&-"
    assert shell(command, tmp_path).returncode == 74
    assert not (tmp_path / "bad").exists()
    done = shell(f"{TUNE} prepare {rows} -o out.jsonl 2>&- >&- <&-", tmp_path)
    assert done.returncode == 0
    assert texts((tmp_path / "out.jsonl").read_bytes()) == texts(ROWS)
    done = shell(f"{TUNE} prepare <&-", tmp_path)
    assert done.returncode == 2
    done = shell(f"{TUNE} prepare - <&-", tmp_path)
    assert (done.returncode, done.stderr) == (66, b"error: -: standard input is closed\n")


AS_NOBODY = """
import os
from instructune import cli
cli.app(["prepare", "in", "-o", "/dev/null", "--json"], standalone_mode=False)  # imports all
os.setgroups([]), os.setgid(65534), os.setuid(65534)
cli.main()
"""
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@needs_root
@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["secret"], 77, b"error: secret: not readable"),
        (["closed/in"], 77, b"error: closed/in: not readable"),
        (["in", "-o", "locked/out"], 77, b"error: locked/out: directory not writable"),
        (["in", "-o", "closed/out"], 77, b"error: closed/out: directory not writable"),
        (["in", "-o", "closed/deep/out"], 77, b"error: closed/deep/out: directory not writable"),
    ],
)
def test_permissions(tmp_path, write, args, code, message):
    write("in", ROWS)
    Path(write("secret", ROWS)).chmod(0)
    for name, mode in (("locked", 0o555), ("closed", 0)):
        (tmp_path / name).mkdir(mode=mode)
    for folder in (tmp_path, *tmp_path.parents):
        if folder == tmp_path or folder.name.startswith("pytest-"):
            folder.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, "prepare", *args], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == code
    assert done.stderr.partition(b"\n")[2].startswith(message)


@needs_root
def test_a_full_file_system(tmp_path, write, temporaries):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", small])
    if mounted.returncode:
        pytest.skip("cannot mount")
    try:
        write("in.jsonl", ROWS * 500)
        (small / "out.jsonl").write_bytes(b"old")
        done = shell(f"{TUNE} prepare in.jsonl --id hash -o small/out.jsonl", tmp_path)
        assert done.returncode == 74
        assert done.stderr == (
            b"error: small/out.jsonl: no space left on device\n"
            b"  hint: free some space; what stood there before is untouched\n"
        )
        assert (small / "out.jsonl").read_bytes() == b"old"
        assert temporaries() == []
    finally:
        subprocess.run(["umount", small], check=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("output", ["out.jsonl", "-"])
def test_a_signal_ends_by_that_signal_and_leaves_nothing(tmp_path, temporaries, number, output):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "out.jsonl").write_bytes(b"old")
    child = subprocess.Popen(
        [sys.executable, "-m", "instructune", "prepare", "fifo", "-o", output],
        **{"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
    )
    with open(tmp_path / "fifo", "wb") as feed:  # opens when the reader has opened
        feed.write(ROWS * 1000)
        feed.flush()
        child.send_signal(number)
        out, err = child.communicate(timeout=20)
    assert child.returncode == -number
    assert (out, err) == (b"", b"")
    assert (tmp_path / "out.jsonl").read_bytes() == b"old"
    assert temporaries() == []


def test_a_process_that_ignores_hangups_goes_on(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    child = subprocess.Popen(
        ["nohup", sys.executable, "-m", "instructune", "prepare", "fifo", "-o", "out.jsonl"],
        **{"cwd": tmp_path, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE},
    )
    with open(tmp_path / "fifo", "wb") as feed:
        child.send_signal(signal.SIGHUP)
        feed.write(ROWS)
    child.communicate(timeout=20)
    assert child.returncode == 0
    assert (tmp_path / "out.jsonl").exists()


KILL = """
import os, signal, sys
from instructune import commits, files
count, at = 0, int(sys.argv[1])
def counted(call):
    def counting(*given, **more):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        result = call(*given, **more)
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return counting
for name in ("open", "write", "fsync", "replace", "close", "unlink"):
    setattr(os, name, counted(getattr(os, name)))
from instructune.configs import PrepareConfig
from instructune.stages.prepare import prepare
prepare(PrepareConfig(sources=("in.jsonl",), output="out.jsonl", bad_rows="quarantine",
                      rejects="bad.jsonl"))
print(count)
"""


def test_killed_at_any_call_the_output_is_old_or_new_and_a_second_run_is_whole(
    tmp_path, write, temporaries
):
    write("in.jsonl", ROWS + b"x\n")
    source = "in.jsonl"

    def attempt(at: int) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-c", KILL, str(at)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)

    straight = attempt(0)
    assert straight.returncode == 0, straight.stderr
    calls = int(straight.stdout)
    assert calls > 20
    names = ("out.jsonl", "bad.jsonl", "out.jsonl.manifest.json")
    whole = {name: (tmp_path / name).read_bytes() for name in names}
    for at in range(1, calls + 1, max(1, calls // 12)):
        for name in names:
            (tmp_path / name).write_bytes(b"old")
        assert attempt(at).returncode == -signal.SIGKILL
        for name in names:
            assert (tmp_path / name).read_bytes() in (b"old", whole[name])
    assert attempt(0).returncode == 0
    assert {name: (tmp_path / name).read_bytes() for name in names} == whole
    assert temporaries() == []
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source, *names])


def test_the_same_bytes_whatever_surrounds_the_run(tmp_path, write):
    rows = [{"text": f"é {n}", "label": n, f"key{n}": n} for n in range(50)]
    surroundings = [
        {},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo", "PYTHONIOENCODING": "ascii", "COLUMNS": "20"},
        {"PYTHONOPTIMIZE": "2", "HOME": "/nonexistent", "TERM": "dumb"},
    ]
    found = set()
    for n, environment in enumerate(surroundings):
        folder = tmp_path / f"ü{n}"
        folder.mkdir()
        write(f"ü{n}/ïn.jsonl", rows)
        done = subprocess.run(
            [sys.executable, "-m", "instructune", "prepare", "ïn.jsonl", "-o", "öut.jsonl"],
            **{"cwd": folder, "capture_output": True, "env": os.environ | environment},
        )
        assert done.returncode == 0, done.stderr
        written = (folder / "öut.jsonl").read_bytes()
        manifest = (folder / "öut.jsonl.manifest.json").read_bytes()
        assert "ïn.jsonl:1".encode() in written
        assert str(tmp_path).encode() not in manifest + written
        found.add((written, manifest))
    assert len(found) == 1


def test_a_fifo_as_output(tmp_path, rows):
    os.mkfifo(tmp_path / "fifo")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_bytes()))
    reader.start()
    done = shell(f"{TUNE} prepare {rows} -o fifo --manifest m.json", tmp_path)
    reader.join()
    assert done.returncode == 0
    assert texts(got[0]) == texts(ROWS)
    assert json.loads((tmp_path / "m.json").read_bytes())["sha256"] is None


def test_process_substitution_on_both_sides(tmp_path, rows):
    command = f"{TUNE} prepare <(cat {rows}) -o >(cat > copy); sleep 0.2"
    assert shell(command, tmp_path).returncode == 0
    assert texts((tmp_path / "copy").read_bytes()) == texts(ROWS)


def test_settings_from_a_file_and_from_flags(run, write, tmp_path):
    write("in.jsonl", [{"q": "x", "a": "y", "id": "1"}])
    write(
        "c.toml",
        'sources = ["in.jsonl"]\noutput = "file.jsonl"\nid = "hash"\n'
        'field = ["prompt=q", "completion=a"]',
    )
    assert run("prepare", "--config", "c.toml").exit_code == 0
    assert json.loads((tmp_path / "file.jsonl").read_bytes())["id"] != "1"
    done = run("prepare", "--config", "c.toml", "-o", "flag.jsonl", "--id", "own")
    assert done.exit_code == 0
    assert json.loads((tmp_path / "flag.jsonl").read_bytes())["id"] == "1"


def test_it_stays_out_of_the_way_of_a_slow_reader(tmp_path, write):
    write("in.jsonl", ROWS * 300)
    done = shell(f"{TUNE} prepare in.jsonl --id hash | (sleep 0.3; wc -l)", tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip() == b"6000"


EVERYTHING = (
    "--template classification:shots=0+2 --filter duplicates:near=0.8 "
    "--filter length:max_answer_words=9 "
    "--against clean.jsonl --split train=0.6,dev=0.2,test=0.2 --balance label=9 --seed 5"
)


def labelled(count: int) -> list[dict[str, str]]:
    words = [f"word{n}" for n in range(97)]
    return [
        {
            "text": " ".join(words[(n * k + 3 * k) % 97] for k in range(1, 12)),
            "label": "abc"[n * n % 3],
            "group": f"g{n // 3}",
        }
        for n in range(count)
    ]


def test_the_same_bytes_whatever_the_hash_seed_locale_and_folder(tmp_path, write):
    write("in.jsonl", [*labelled(60), *labelled(20)])
    write("clean.jsonl", [{"text": "nothing of the kind"}])
    found = []
    runs = (("one", "0", "C"), ("two", "1", "C.UTF-8"), ("three", "77", "tr_TR"))
    for place, seed, locale in runs:
        folder = tmp_path / place
        folder.mkdir()
        for name in ("in.jsonl", "clean.jsonl"):
            (folder / name).write_bytes((tmp_path / name).read_bytes())
        shell(
            f"{TUNE} prepare in.jsonl -o '{{split}}.jsonl' --dropped gone.jsonl {EVERYTHING}",
            folder,
            env=os.environ | {"PYTHONHASHSEED": seed, "LC_ALL": locale, "LANG": locale},
            check=True,
        )
        found.append({path.name: path.read_bytes() for path in sorted(folder.iterdir())})
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 9  # two inputs, three sides with their manifests, what was dropped


def test_prepared_rows_go_through_unchanged_and_their_sides_hold(tmp_path, write):
    write("in.jsonl", labelled(40))
    write("clean.jsonl", [{"text": "nothing of the kind"}])
    command = f"{TUNE} prepare in.jsonl -o once.jsonl {EVERYTHING}"
    again = f"{TUNE} prepare once.jsonl -o 'again-{{split}}.jsonl'"
    shell(f"{command} && {again}", tmp_path, check=True)
    once = (tmp_path / "once.jsonl").read_bytes().splitlines(keepends=True)
    sides = [(tmp_path / f"again-{side}.jsonl").read_bytes() for side in ("train", "dev", "test")]
    for name, side in zip((b"train", b"dev", b"test"), sides, strict=True):
        assert side == b"".join(line for line in once if b'"split":"%s"' % name in line)


def test_what_a_mix_is_made_of_is_told(run, write):
    write("a.jsonl", [{"text": f"{i} b c d"} for i in range(1200)])
    write("b.jsonl", [{"text": f"e {i}"} for i in range(4)])
    mix = ("--mix", "a.jsonl=1", "--mix", "b.jsonl=1", "-o", "o.jsonl", "--report", "r.html")
    done = run("prepare", "a.jsonl", "b.jsonl", *mix)
    assert done.stderr.splitlines()[2:] == [
        "  mix: 50.0% a.jsonl, 4 of 1,200 rows",
        "  mix: 50.0% b.jsonl, 4 of 4 rows, all",
    ]
    done = run("prepare", "a.jsonl", "b.jsonl", *mix, "--mix-by", "words", "--json")
    told = json.loads(done.stderr)["mix"]
    assert told["by"] == "words"
    assert told["sources"][0] == {
        "source": "a.jsonl", "rows": 2, "of_rows": 1200, "size": 8, "of_size": 4800, "share": 0.5,
    }  # fmt: skip
    assert "words it has" in Path("r.html").read_text()


def test_transforms_that_change_nothing_are_told(run, write):
    write("in.jsonl", [{"text": f"a{i}"} for i in range(5000)])
    both = ("--transform", "clean", "--transform", "html", "-o", "o.jsonl")
    for workers in "12":
        done = run("prepare", "in.jsonl", *both, "--workers", workers)
        assert done.stderr.endswith("  changed nothing: clean, html\n")
    write("in.jsonl", [{"text": "a\u200bb"}])
    assert run("prepare", "in.jsonl", *both).stderr.endswith("  changed nothing: html\n")


def test_clusters_and_annotators_are_told(run, write):
    rows = [{"text": t, "annotations": {"a": t, "b": "x"}} for t in ("x", "X", "y", "x")]
    write("in.jsonl", rows)
    args = ("prepare", "in.jsonl", "-o", "out.jsonl", "--id", "hash", "--filter", "duplicates")
    told = run(*args).stderr.splitlines()
    assert told[-2].startswith("  duplicates: 1 clusters, the largest 3 rows like ")
    # a, b: x x, X x, y x, x x
    assert (
        told[-1] == "  annotators: 2 of 4 rows with different values, Krippendorff's alpha -0.077"
    )
    facts = json.loads(run(*args, "--json").stderr)
    assert facts["duplicate_clusters"]["sizes"] == {"3": 1}
    assert facts["agreement"]["disagreeing"] == 2
    assert facts["agreement"]["cohen_kappa"]["a, b"]["n"] == 4
    plain = run("prepare", "in.jsonl", "-o", "out.jsonl", "--transform", "width").stderr
    assert "clusters" not in plain
