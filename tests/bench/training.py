"""Full training of SmolLM2-135M, batch 8: tokens a second and peak memory, against TRL.

`BENCH_DATA` names a file of rows other than the samples; TRL runs in float32 or bfloat16,
whichever this machine multiplies faster, without gradient checkpointing.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.measure import ROOT, TUNE, line
from tests.bench.measure import run as run_command

_STEPS = 4


def run(rounds: int = 2) -> dict[str, Any]:
    """Pairs of runs of four steps."""
    from instructune import hardware
    from instructune.fetching.modelfiles import resolve

    model = str(resolve("smollm2-135m").folder)
    dtype = str(hardware.dtype("auto", hardware.device("cpu"))).removeprefix("torch.")
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder, "records.jsonl")
        write_records(records, 8 * _STEPS)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(_ours(model, records, folder))
            theirs.append(_theirs(model, records, dtype))
    pairs = list(zip(ours, theirs, strict=True))
    speed = [a["tokens_per_second"] / b["tokens_per_second"] for a, b in pairs]
    memory = [a["peak_memory"] / b["peak_memory"] for a, b in pairs]
    return line(
        "training",
        dtype=dtype,
        tokens_per_second=statistics.median(a["tokens_per_second"] for a in ours),
        trl_tokens_per_second=statistics.median(b["tokens_per_second"] for b in theirs),
        ratio=statistics.median(speed),
        peak_memory=statistics.median(a["peak_memory"] for a in ours),
        trl_peak_memory=statistics.median(b["peak_memory"] for b in theirs),
        memory_ratio=statistics.median(memory),
    )


def write_records(path: Path, count: int) -> None:
    """`count` answered chats without tools, of `BENCH_DATA` read with `BENCH_FIELDS`."""
    source = os.environ.get("BENCH_DATA", str(ROOT / "data/samples/messages.jsonl"))
    fields = os.environ.get("BENCH_FIELDS", "").split()
    given = [part for pair in fields for part in ("--field", pair)]
    run_command([*TUNE, "prepare", source, *given, "-o", str(path)])
    rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
    answered = [row for row in rows if row["messages"][-1]["role"] == "assistant"]
    plain = [row for row in answered if "tools" not in row]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in plain[:count])
    path.write_text(text, encoding="utf-8")


def _ours(model: str, records: Path, folder: str) -> dict[str, Any]:
    target = Path(folder, "run")
    shutil.rmtree(target, ignore_errors=True)
    given = ["--steps", str(_STEPS), "--train-on", "last", "--checkpoint-every", "1000"]
    command = [*TUNE, "train", str(records), "-m", model, "-o", str(target), *given]
    return json.loads(run_command(command).output)


def _theirs(model: str, records: Path, dtype: str) -> dict[str, Any]:
    script = str(Path(__file__).with_name("peer_training.py"))
    command = [sys.executable, script, model, str(records), str(_STEPS), dtype]
    return json.loads(run_command(command).output.splitlines()[-1])


if __name__ == "__main__":
    run()
