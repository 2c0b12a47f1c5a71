"""`prepare --workers 2` against one: wall time, reading alone and with cleaning and duplicates."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.measure import ROOT, TUNE, alternate, line
from tests.bench.measure import run as measured

_STEPS = ["--transform", "clean", "--filter", "duplicates"]


def run(rounds: int = 3, megabytes: int = 256) -> dict[str, Any]:
    """Chats of two turns, of words of the sample chats at random."""
    said = (ROOT / "data/samples/messages.jsonl").read_text(encoding="utf-8").split()
    draw = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "in.jsonl")
        with source.open("w", encoding="utf-8") as out:
            while out.tell() < megabytes << 20:
                turns = [
                    {"role": role, "content": " ".join(draw.choices(said, k=45))}
                    for role in ("user", "assistant")
                ]
                out.write(json.dumps({"messages": turns}, ensure_ascii=False) + "\n")
        size = source.stat().st_size / 1e6
        facts: dict[str, Any] = {}
        for name, steps in (("reading", []), ("cleaning", _STEPS)):
            command = [*TUNE, "prepare", str(source), "-o", str(Path(folder, "out.jsonl")), *steps]
            two, one, ratio = alternate(
                lambda command=command: measured([*command, "--workers", "2"]).wall,
                lambda command=command: measured([*command, "--workers", "1"]).wall,
                rounds,
            )
            facts |= {
                f"{name}_mb_per_second_one": size / one,
                f"{name}_mb_per_second_two": size / two,
                f"{name}_ratio": 1 / ratio,
            }
    return line("workers", **facts)


if __name__ == "__main__":
    run()
