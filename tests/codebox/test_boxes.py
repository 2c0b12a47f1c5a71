"""boxes: right answers pass, cheats do not, and nothing gets out; in parallel, in order."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from instructune import codebox
from instructune.codebox import Box, Job, Limits, boxes
from instructune.errors import Exit, UserError
from tests.codebox import cheats

SHORT = Limits(seconds=1)


def task(answer: str) -> Job:
    return Job(answer, cheats.TESTS, prompt=cheats.PROMPT, entry="total")


def test_a_right_answer_passes_and_a_wrong_one_does_not(sandbox):
    right, wrong, empty = sandbox.run([task(cheats.RIGHT), task(cheats.WRONG), task("    pass")])
    assert right == (True, None)
    reason = "AssertionError: at assert candidate([1, 2, 3], 2) == 8"
    assert wrong == empty == (False, reason)


def test_there_are_forty_cheats():
    assert [len(found) for found in cheats.CLASSES.values()] == [5] * 8
    assert len({answer for found in cheats.CLASSES.values() for answer in found}) == 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", cheats.CLASSES)
def test_no_cheat_passes(sandbox, kind):
    found = sandbox.run(list(map(task, cheats.CLASSES[kind])), SHORT)
    assert [verdict.passed for verdict in found] == [False] * 5, found
    # the sandbox is none the worse for it
    assert sandbox.run([task(cheats.RIGHT)])[0].passed


# each sets `out` to whether it got out
ESCAPES = {
    "canary": "out = []\nfor p in (CANARY, '/old' + CANARY, '/proc/1/root' + CANARY):\n"
    "    try: out.append(open(p).read())\n    except OSError: pass\nout = bool(out)",
    "environment": "import os\nout = bool(os.environ) or os.getenv('CANARY_TOKEN') is not None",
    "network": "import socket\nout = False\n"
    "places = (2, ('127.0.0.1', PORT)), (2, ('192.0.2.1', 80)), (1, '\\0' + CANARY)\n"
    "for family, place in places:\n"
    "    try:\n        socket.create_connection(place, 1) if family == 2 else "
    "socket.socket(1).connect(place)\n        out = True\n    except OSError: pass",
    "parent signal": "import os\nout = False\nfor p in (os.getppid(), PARENT, -1):\n"
    "    try:\n        if p: os.kill(p, 0)\n        out |= p > 1\n    except OSError: pass",
    "fork bomb": "import os, time\nmade = 0\ntry:\n    for _ in range(200):\n"
    "        if os.fork() == 0:\n            time.sleep(60)\n            os._exit(0)\n"
    "        made += 1\nexcept OSError: pass\nout = made > 16",
    "memory": "try:\n    block = bytearray(10 << 30)\n    out = True\n"
    "except MemoryError:\n    out = False",
    "disk": "written = 0\nout = False\ntry:\n    for i in range(100):\n"
    "        with open(f'/tmp/{i}', 'wb') as f:\n            for _ in range(4):\n"
    "                written += f.write(b'x' * (4 << 20))\nexcept OSError: pass\n"
    "out = written > 17 << 20",
    "symlink": "import os\nout = False\nfor target in ('/', '/usr/lib', '/dev', CANARY):\n"
    "    os.symlink(target, '/tmp/link')\n    try:\n"
    "        open('/tmp/link/escaped' if target != CANARY else '/tmp/link', 'w').close()\n"
    "        out |= target != CANARY\n    except OSError: pass\n    os.unlink('/tmp/link')\n"
    "try:\n    os.open('/usr/escaped', os.O_CREAT | os.O_WRONLY)\n    out = True\n"
    "except OSError: pass",
    "proc": "import os\nout = False\nfor p in ('/proc/1/environ', '/proc/1/mem', '/sys/kernel'):\n"
    "    try:\n        os.listdir(p) if 'sys' in p else open(p).read()\n        out = True\n"
    "    except OSError: pass",
    "ptrace": "import ctypes\nlibc = ctypes.CDLL(None)\n"
    "out = any(libc.ptrace(16, p, 0, 0) == 0 for p in [*range(2, 40), PARENT])\n"
    "out |= libc.ptrace(0, 0, 0, 0) == 0",
    "core dump": "import os, resource, signal\n"
    "try: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20))\n"
    "except (ValueError, OSError): pass\nif (p := os.fork()) == 0: os.abort()\n"
    "status = os.waitpid(p, 0)[1]\nout = os.WCOREDUMP(status) or os.listdir('/tmp') != []",
    "setuid": "import os, shutil, subprocess\nout = os.getuid() == 0\n"
    "for act in (lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0])):\n"
    "    try:\n        act()\n        out = True\n    except OSError: pass\n"
    "import ctypes\nlibc = ctypes.CDLL(None)\n"
    "out |= libc.unshare(0x10000000) == 0 or libc.unshare(0x20000) == 0\n"
    "out |= libc.mount(b'x', b'/tmp', b'tmpfs', 0, 0) == 0\n"
    "if shutil.which('su'):\n    text = subprocess.run(['su', '-c', 'id -u'], capture_output=True, "
    "timeout=5).stdout\n    out |= text.strip() == b'0'",
    "clock": "import time\nout = False\nfor clock in (0, 7):\n    try:\n"
    "        time.clock_settime(clock, time.time())\n        out = True\n    except OSError: pass",
}


def escape(name: str, canary: Path, port: int) -> Job:
    known = f"CANARY, PORT, PARENT = {str(canary)!r}, {port}, {os.getpid()}\n"
    body = "".join(f"    {line}\n" for line in (known + ESCAPES[name]).splitlines())
    return Job(f"def escaped():\n{body}    return bool(out)\n", "assert escaped() is False")


@pytest.mark.slow
@pytest.mark.parametrize("name", ESCAPES)
def test_nothing_gets_out(sandbox, tmp_path, monkeypatch, name):
    import socket

    monkeypatch.setenv("CANARY_TOKEN", "secret")
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = sandbox.run([escape(name, canary, server.getsockname()[1])], Limits(seconds=2))
    assert found == [(True, None)]
    assert canary.read_text() == "untouched"
    assert not Path("/usr/escaped").exists()


@pytest.mark.slow
def test_the_escapes_do_get_out_of_no_sandbox(tmp_path):
    """Those that do no harm; a test of an escape that cannot succeed would prove nothing."""
    canary = tmp_path / "canary"
    canary.write_text("secret")
    for name in ("canary", "environment", "proc"):
        answer = escape(name, canary, 1).answer
        done = subprocess.run([sys.executable, "-c", f"{answer}\nassert escaped() is True"])
        assert done.returncode == 0, name


def test_order_and_workers_change_nothing(sandbox):
    answers = [cheats.RIGHT, cheats.WRONG, "def total(*a): return [", cheats.EXITS[1]]
    jobs = [task(answer) for answer in answers]
    found = sandbox.run(jobs)
    assert [verdict.passed for verdict in found] == [True, False, False, False]
    with Box(workers=1) as alone:
        assert alone.run(jobs[::-1]) == found[::-1]


def test_sets_of_texts_are_walked_alike_every_time():
    job = Job("def f(): return list({'a', 'b', 'c', 'd', 'e'})", "raise Exception(f())")
    reasons = set()
    for _ in range(2):
        with Box(workers=1) as box:
            reasons.add(run_or_skip(box, job))
    assert len(reasons) == 1


def run_or_skip(box: Box, job: Job):
    try:
        return box.run([job])[0].reason
    except UserError as error:
        pytest.skip(error.reason)


def test_a_warden_that_was_killed_is_replaced(sandbox):
    with Box(workers=1) as box:
        assert box.run([task(cheats.RIGHT)])[0].passed
        box._all[0]._process.kill()
        box._all[0]._process.wait()
        assert box.run([task(cheats.RIGHT)])[0].passed


def test_without_a_sandbox_nothing_runs(monkeypatch):
    monkeypatch.setattr(boxes, "_START", "import sys; sys.exit(1)")
    with Box() as box, pytest.raises(UserError) as caught:
        box.run([task(cheats.RIGHT)])
    assert caught.value.code == Exit.UNAVAILABLE
    assert "user namespaces" in caught.value.hint


def test_other_systems_have_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with Box(workers=1) as box, pytest.raises(UserError, match="darwin"):
        box.run([task(cheats.RIGHT)])


PROBE = f"""
from instructune.codebox import Box, Job
jobs = [Job(code, {cheats.TESTS!r}, prompt={cheats.PROMPT!r}, entry="total") for code in
        ({cheats.RIGHT!r}, {cheats.WRONG!r})]
jobs += [Job("import os\\ndef f(): return os.getuid(), os.getpid()", "assert f() == (65534, 1)")]
fork = "import os\\ndef f():\\n  n = 0\\n  try:\\n    while n < 50:\\n      if os.fork() == 0:\\n"
fork += "        while 1: pass\\n      n += 1\\n  except OSError: pass\\n  return n"
jobs += [Job(fork, "assert 0 < f() < 16")]
jobs += [Job("import ctypes\\ndef f(): return ctypes.CDLL(None).unshare(0x10000000)",
             "assert f() == -1")]
with Box(workers=1) as box:
    print([verdict.passed for verdict in box.run(jobs)])
"""


@pytest.mark.slow
def test_an_ordinary_user_has_a_sandbox_too(sandbox):
    """Root becomes nobody, with a Python and a copy of the code that nobody can read."""
    python = shutil.which("python3", path="/usr/bin")
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    if os.geteuid() != 0 or not python or subprocess.run([python, "-c", check]).returncode:
        pytest.skip("needs root, and a system's Python 3.11")
    package = Path(codebox.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "instructune"
        shutil.copytree(package, home / "codebox", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("__init__.py", "errors.py"):
            shutil.copy(package.parent / name, home / name)
        for place in (Path(folder), *home.rglob("*"), home):
            place.chmod(0o755)
        done = subprocess.run(
            [python, "-c", PROBE],
            cwd=folder,
            env={"PYTHONDONTWRITEBYTECODE": "1"},
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
        )
    if "no sandbox" in done.stderr:
        pytest.skip(done.stderr.splitlines()[-2])
    assert done.stdout == "[True, False, True, True, True]\n", done.stderr


@pytest.mark.slow
def test_human_eval_from_end_to_end(sandbox, shared):
    """Every canonical solution passes, however an answer may give it; no stub does."""
    import gzip
    import json

    data = gzip.decompress((shared / "humaneval/HumanEval.jsonl.gz").read_bytes())
    rows = list(map(json.loads, data.splitlines()))
    assert len(rows) == 164
    shapes = {
        "completion": lambda row: row["canonical_solution"],
        "trimmed": lambda row: row["canonical_solution"].strip(),
        "whole": lambda row: row["prompt"] + row["canonical_solution"],
        "chat": lambda row: (
            f"Sure:\n```python\n{row['prompt']}{row['canonical_solution']}```\nDone."
        ),
    }
    stubs = ["    pass\n", "    return None\n", "    return True\n", ""]
    for name, shape in shapes.items():
        found = sandbox.run([human_eval(row, shape(row)) for row in rows])
        assert sum(verdict.passed for verdict in found) == 164, name
    for stub in stubs:
        found = sandbox.run([human_eval(row, stub) for row in rows])
        assert sum(verdict.passed for verdict in found) == 0, stub


@pytest.mark.slow
def test_mbpp(sandbox, shared):
    """Its rows name no entry point; some of its functions are called as built-in ones."""
    import json

    from instructune.evaluating.codetests import job_of

    rows = json.loads((shared / "mbpp/sanitized-mbpp_train.json").read_bytes())
    assert len(rows) == 120
    asked = [row | {"messages": [{"role": "user", "content": row["prompt"]}]} for row in rows]
    right = [job_of(row | {"references": [row["code"]]}, row["code"]) for row in asked]
    assert [verdict for verdict in sandbox.run(right) if not verdict.passed] == []
    others = [job_of(row, rows[i - 1]["code"]) for i, row in enumerate(asked)]
    assert not any(verdict.passed for verdict in sandbox.run(others))


def human_eval(row, answer: str) -> Job:
    return Job(answer, row["test"], prompt=row["prompt"], entry=row["entry_point"])
