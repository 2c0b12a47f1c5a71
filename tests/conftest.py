"""What many tests need: files of rows, the command line in this process, and in one of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from typer.testing import CliRunner

from instructune.environment import before_torch

# before any test imports torch: workers of the test run share the processors
before_torch()

# a busy machine is no reason to fail, nor is another day
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

# a job in the background is started deaf to Ctrl-C, and would hand that on to what it starts
for _number, _default in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
    (signal.SIGTERM, signal.SIG_DFL),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _default)

SHARED = Path(os.environ.get("INSTRUCTUNE_DATA") or Path(__file__).parents[2] / "shared/data")


@pytest.fixture
def shared() -> Path:
    """The folder of real data sets; the test is skipped where there is none."""
    if not SHARED.is_dir():
        pytest.skip("the shared data sets are not here")
    return SHARED


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Any]:
    """A sandbox for code; the test is skipped where this machine allows none."""
    from instructune.codebox import Box, Job
    from instructune.errors import UserError

    with Box(workers=2) as box:
        try:
            box.run([Job("def f(): return 1", "assert f() == 1")])
        except UserError as error:
            pytest.skip(error.reason)
        yield box


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a file of bytes, text or rows in the test's folder; its path."""

    def write(name: str, content: bytes | str | list[Any]) -> str:
        if isinstance(content, list):
            lines = [json.dumps(row, ensure_ascii=False) for row in content]
            content = "".join(f"{line}\n" for line in lines)
        data = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run the command line in this process, in the test's folder."""
    from instructune.cli import app

    monkeypatch.chdir(tmp_path)
    return lambda *args: CliRunner().invoke(app, list(args), prog_name="instructune")


@pytest.fixture
def tune(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run the command line as a process of its own, in the test's folder."""

    def tune(*args: str, **how: Any) -> subprocess.CompletedProcess[bytes]:
        how = {"input": b"", "capture_output": True, "cwd": tmp_path, "timeout": 60} | how
        if not isinstance(how["input"], bytes):
            del how["input"]
        how["env"] = os.environ | how.get("env", {})
        return subprocess.run([sys.executable, "-m", "instructune", *args], **how)

    return tune


@pytest.fixture
def environment() -> Iterator[None]:
    """Whatever the test does to the environment is undone."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def temporaries(tmp_path: Path) -> Callable[[], list[str]]:
    """The names of hidden files below the test's folder: what a write left behind."""
    return lambda: sorted(path.name for path in tmp_path.rglob(".*"))
