"""Near-duplicates among 100,000 texts with planted pairs, against datasketch's MinHashLSH."""

from __future__ import annotations

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.measure import TUNE, line
from tests.bench.measure import run as measured

_THRESHOLD, _WORDS, _BATCH = 0.8, 80, 1024


def run(rounds: int = 1, texts: int = 100_000) -> dict[str, Any]:
    """Both find the clusters of the same texts by word trigrams and 128 permutations."""
    from instructune.preparing.neighbours import Neighbours, jaccard

    rows, pairs = planted(texts)
    ours_seconds, theirs_seconds = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        found = Neighbours(_THRESHOLD)
        for start in range(0, len(rows), _BATCH):
            found.add(found.sign(rows[start : start + _BATCH]))
        roots = found.clusters(rows.__getitem__)
        ours_seconds.append(time.perf_counter() - started)
        started = time.perf_counter()
        candidates = _theirs(rows)
        theirs_seconds.append(time.perf_counter() - started)
    whole = _whole(rows)
    near = [
        (a, b)
        for a, b in pairs
        if jaccard(found.shingles(rows[a]), found.shingles(rows[b])) >= _THRESHOLD
    ]
    joined = sum(root != number for number, root in enumerate(roots))
    return line(
        "duplicates",
        texts=texts,
        seconds=min(ours_seconds),
        datasketch_seconds=min(theirs_seconds),
        ratio=min(ours_seconds) / min(theirs_seconds),
        prepare_seconds=whole,
        prepare_ratio=whole / min(theirs_seconds),
        recall=sum(roots[a] == roots[b] for a, b in near) / len(near),
        datasketch_recall=sum((a, b) in candidates for a, b in near) / len(near),
        joined_beside_pairs=joined - sum(roots[a] == roots[b] for a, b in pairs),
    )


def _whole(rows: list[str]) -> float:
    """Seconds that `prepare` takes to read the rows, drop near duplicates and write the rest."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        source.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
        command = [*TUNE, "prepare", str(source), "-o", str(target)]
        return measured([*command, "--filter", f"duplicates:near={_THRESHOLD}"]).wall


def planted(texts: int) -> tuple[list[str], list[tuple[int, int]]]:
    """Texts of a small vocabulary, each tenth a copy of the one before with some words changed."""
    draw = random.Random(0)
    vocabulary = [f"word{i}" for i in range(20_000)]
    rows: list[str] = []
    pairs = []
    while len(rows) < texts:
        words = draw.choices(vocabulary, k=_WORDS)
        if rows and len(rows) % 10 == 9:
            words = rows[-1].split()
            for _ in range(draw.randint(1, 3)):
                words[draw.randrange(_WORDS)] = draw.choice(vocabulary)
            pairs.append((len(rows) - 1, len(rows)))
        rows.append(" ".join(words))
    return rows, pairs


def _theirs(rows: list[str]) -> set[tuple[int, int]]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=_THRESHOLD, num_perm=128)
    found = set()
    for number, row in enumerate(rows):
        words = row.casefold().split()
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(words[i : i + 3]).encode() for i in range(len(words) - 2)])
        found |= {(other, number) for other in index.query(sketch)}
        index.insert(number, sketch)
    return found


if __name__ == "__main__":
    run()
