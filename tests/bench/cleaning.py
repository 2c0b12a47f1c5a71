"""Cleaning and exact duplicates: rows a second against the same steps in `datasets.map`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import ROOT, TUNE, alternate, line

_PEER = """
import hashlib, re, sys, unicodedata
import datasets, ftfy
datasets.disable_progress_bars()
rows = datasets.load_dataset("json", data_files=sys.argv[1], split="train", cache_dir=sys.argv[3])
controls = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
)

def mended(text):
    text = unicodedata.normalize("NFC", ftfy.fix_encoding(text))
    text = controls.sub("", text.replace("\\r\\n", "\\n"))
    text = "\\n".join(part.rstrip() for part in text.split("\\n"))
    return re.sub("\\n{3,}", "\\n\\n", text).strip()

def clean(row):
    turns = [{"role": t["role"], "content": mended(t["content"])} for t in row["messages"]]
    return {"messages": turns}

seen = set()
def first(row):
    text = " ".join(unicodedata.normalize("NFKC", t["content"]).casefold() for t in row["messages"])
    key = hashlib.blake2b(" ".join(text.split()).encode(), digest_size=16).digest()
    new = key not in seen
    seen.add(key)
    return new

rows.map(clean).filter(first).to_json(sys.argv[2], force_ascii=False)
"""


def run(rounds: int = 3, megabytes: int = 16) -> dict[str, Any]:
    """The sample chats over and over, numbered so that about a fifth are repeated."""
    samples = (ROOT / "data/samples/messages.jsonl").read_text(encoding="utf-8").splitlines()
    chats = [json.loads(row)["messages"] for row in samples]
    plain = [turns for turns in chats if all(turn.keys() == {"role", "content"} for turn in turns)]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        number = 0
        with source.open("w", encoding="utf-8") as out:
            while out.tell() < megabytes << 20:
                for turns in plain:
                    number += 1
                    mark = {"role": "user", "content": f"Number {number // 5 * 4 + number % 4}"}
                    chat = {"id": f"chat-{number}", "messages": [mark, *turns]}
                    out.write(json.dumps(chat, ensure_ascii=False) + "\n")
        ours = [*TUNE, "prepare", str(source), "-o", str(target)]
        ours += ["--transform", "clean", "--filter", "duplicates", "--workers", "1"]
        peer = [sys.executable, "-c", _PEER, str(source), str(target)]
        mine, theirs, ratio = alternate(
            lambda: _timed(ours), lambda: _timed([*peer, tempfile.mkdtemp(dir=folder)]), rounds
        )
    return line(
        "cleaning",
        rows=number,
        rows_per_second=number / mine,
        datasets_rows_per_second=number / theirs,
        ratio=1 / ratio,
    )


def _timed(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    run()
