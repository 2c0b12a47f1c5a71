"""Chat JSONL read, validated and written: MB a second, against `datasets` load and to_json."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import ROOT, TUNE, alternate, line

_PEER = """
import sys, datasets
datasets.disable_progress_bars()
rows = datasets.load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[3])
rows.to_json(sys.argv[2], force_ascii=False)
"""


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


def run(rounds: int = 3, megabytes: int = 64) -> dict[str, Any]:
    """The sample chats over and over, until there are `megabytes` of them."""
    samples = (ROOT / "data/samples/messages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(row) for row in samples]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        number = 0
        with source.open("w", encoding="utf-8") as out:
            while out.tell() < megabytes << 20:
                for row in rows:
                    number += 1
                    chat = {"id": f"chat-{number}", "messages": row["messages"]}
                    out.write(json.dumps(chat, ensure_ascii=False) + "\n")
        size = source.stat().st_size / 1e6
        ours, theirs, ratio = alternate(
            lambda: _timed([*TUNE, "prepare", str(source), "-o", str(target), "--workers", "1"]),
            lambda: _timed(
                [
                    sys.executable,
                    "-c",
                    _PEER,
                    str(source),
                    str(target),
                    tempfile.mkdtemp(dir=folder),
                ]
            ),
            rounds,
        )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return line(
        "reading",
        mb_per_second=size / ours,
        datasets_mb_per_second=size / theirs,
        ratio=ratio,
        rows=number,
        largest_peak_mib_of_both=peak,
    )


if __name__ == "__main__":
    run()
