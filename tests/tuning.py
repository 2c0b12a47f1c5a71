"""What the tests of training share: small chats, token rows, and a fit of a tiny model."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from instructune.configs import TrainConfig
from instructune.rundir import RunDir
from instructune.tokens import TokenRow
from instructune.training.batches import TokenData
from instructune.training.work import Work, read_work

SERVER = Path(__file__).with_name("forkserver.py")


def chats(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Short chats of different lengths: sums with their answers."""
    return [
        {
            "id": f"sum-{i}",
            "messages": [
                {"role": "user", "content": " + ".join(["1"] * (1 + i % 5))},
                {"role": "assistant", "content": str(1 + i % 5) + "!" * (i % 3)},
            ],
        }
        for i in range(start, start + count)
    ]


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> str:
    """Write rows as JSONL; the path as text."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def token_data(
    lengths: Sequence[int], *, seed: int = 0, weights: Sequence[float] = ()
) -> TokenData:
    """Random byte tokens: each row learns its second half, times the weight of the row."""
    rng = np.random.default_rng(seed)
    rows = []
    for i, length in enumerate(lengths):
        weight = weights[i] if weights else 1.0
        half = length // 2
        learned = [0.0] * half + [weight] * (length - half)
        ids = rng.integers(0, 256, length).tolist()
        rows.append(TokenRow(ids, learned, f"row-{i}", f"data:{i + 1}"))
    return TokenData(rows)


def work_of(config: TrainConfig) -> Work:
    """What `train` would do with these settings."""
    with ExitStack() as stack:
        return read_work(config, RunDir(config.output), stack, lambda text: None)


class Ended(NamedTuple):
    """A run of the command line: exit status (negative for a signal), stdout, stderr."""

    code: int
    out: str
    err: str


class Server:
    """Runs the command line as processes that need not import anything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=SERVER.parents[1],
        )

    def run(self, *args: str, cwd: Path, **job: Any) -> Ended:
        """Run one command; see `forkserver` for what else a job may hold."""
        out, err = self.folder / "out", self.folder / "err"
        for path in (out, err):
            path.write_text("")
        job = {"out": str(out), "err": str(err)} | job | {"args": args, "cwd": str(cwd)}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer.strip().lstrip("-").isdigit(), (answer, self._process.poll(), args)
        return Ended(int(answer), out.read_text(), err.read_text())

    def close(self) -> None:
        """End the server."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


def train_run(folder: Path, tell: Callable[..., object] | None = None, **settings: Any) -> Any:
    """Train a tiny model on `data.jsonl` of the folder, here and now; the report."""
    from instructune.stages.train import train

    defaults: dict[str, Any] = {
        "data": (str(folder / "data.jsonl"),),
        "model": "tiny-llama",
        "output": str(folder / "run"),
        "batch_size": 4,
        "dtype": "float32",
        "threads": 1,
    }
    return train(TrainConfig(**(defaults | settings)), tell or (lambda event: None))


def fit_of(folder: Path, **settings: Any) -> Any:
    """What `train_run` would train, ready to."""
    from instructune.training.fitting import Fit

    defaults: dict[str, Any] = {
        "data": (str(folder / "data.jsonl"),),
        "model": "tiny-llama",
        "output": str(folder / "run"),
        "dtype": "float32",
        "threads": 1,
    }
    config = TrainConfig(**(defaults | settings))
    return Fit(config, work_of(config))


def stop_after(step: int) -> Callable[[dict[str, Any]], None]:
    """A listener that sends SIGTERM to this process when it hears of a step."""

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "step" and event["step"] == step:
            os.kill(os.getpid(), signal.SIGTERM)

    return tell


def result_of(run: Path) -> dict[str, str]:
    """Hashes of all that must not depend on how often a run was interrupted."""
    paths = [run / "log.jsonl", *run.glob("model/*"), *run.glob("adapter/*")]
    paths += run.glob("last/*.safetensors")
    return {str(p.relative_to(run)): sha256(p.read_bytes()).hexdigest() for p in paths}


def updates(
    optimizer: str,
    start: float,
    gradients: Sequence[float],
    *,
    rate: float = 0.1,
    decay: float = 0.0,
) -> list[float]:
    """A single weight after each update with the gradients given."""
    import torch

    from instructune.training.optimizers import Optimizer

    weight = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        weight.weight.fill_(start)
    updating, found = Optimizer(weight, weight_decay=decay, optimizer=optimizer), []
    for gradient in gradients:
        weight.weight.grad = torch.tensor([[gradient]])
        updating.step(rate)
        updating.forget()
        found.append(weight.weight.item())
    return found
