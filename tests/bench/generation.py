"""Batch generation with SmolLM2-135M: 24 prompts, 48 tokens, against `transformers.generate`.

Both in one process and with the same threads, in turn. The peer answers one length-sorted,
left-padded batch. `BENCH_DATA` names a file of rows other than the samples, `BENCH_FIELDS` its
columns (`prompt=question completion=answer`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from tests.bench.measure import ROOT, alternate, line

_PROMPTS, _TOKENS, _THREADS = 24, 48, 2


def run(rounds: int = 2) -> dict[str, Any]:
    """Pairs of runs; `ratio` is our speed over the peer's."""
    from instructune.errors import UserError

    try:
        model, tokenizer, prompts = _load()
    except UserError as error:
        return line("generation", skipped=str(error))
    answers: dict[str, list[list[int]]] = {}

    def timed(name: str, answer: Callable[..., list[list[int]]]) -> float:
        started = time.perf_counter()
        answers[name] = answer(model, tokenizer, prompts)
        return time.perf_counter() - started

    ours, theirs, ratio = alternate(
        lambda: timed("ours", _ours), lambda: timed("theirs", _theirs), rounds
    )
    tokens = sum(map(len, answers["ours"]))
    return line(
        "generation",
        prompts=len(prompts),
        prompt_tokens=sum(map(len, prompts)),
        tokens=tokens,
        equal=answers["ours"] == answers["theirs"],
        tokens_per_second=tokens / ours,
        transformers_tokens_per_second=tokens / theirs,
        ratio=1 / ratio,
    )


def _load() -> tuple[Any, Any, list[list[int]]]:
    """The model in float32, its tokenizer, and prompts, the longest first."""
    from instructune.environment import before_torch

    before_torch()
    import torch

    from instructune.fetching.modelfiles import resolve
    from instructune.models import load_model
    from instructune.reading.sources import Reading, Tally, read_records
    from instructune.tokenizer import Tokenizer
    from instructune.tokens import prompt_ids

    torch.set_num_threads(_THREADS)
    files = resolve("smollm2-135m")
    tokenizer = Tokenizer(files.tokenizer)
    source = os.environ.get("BENCH_DATA", str(ROOT / "data/samples/alpaca.jsonl"))
    reading = Reading(None, tuple(os.environ.get("BENCH_FIELDS", "").split()))
    records = islice(read_records([source], reading, Tally()), _PROMPTS)
    prompts = [prompt_ids(record, tokenizer) for record in records]
    return load_model(files, dtype=torch.float32), tokenizer, sorted(prompts, key=len, reverse=True)


def _ours(model: Any, tokenizer: Any, prompts: list[list[int]]) -> list[list[int]]:
    from instructune.answering.decoding import Row, Settings, decode

    rows = [Row(prompt, _TOKENS, str(i)) for i, prompt in enumerate(prompts)]
    decode(model, rows, tokenizer.stop_ids, Settings(0.0, 1.0, 0), _PROMPTS)
    return [row.ids for row in rows]


def _theirs(model: Any, tokenizer: Any, prompts: list[list[int]]) -> list[list[int]]:
    import torch

    width = len(prompts[0])
    ids = torch.full((len(prompts), width), tokenizer.pad_id)
    mask = torch.zeros_like(ids)
    for i, prompt in enumerate(prompts):
        ids[i, width - len(prompt) :] = torch.tensor(prompt)
        mask[i, width - len(prompt) :] = 1
    stops = tokenizer.stop_ids
    found = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=_TOKENS,
        do_sample=False,
        eos_token_id=sorted(stops),
        pad_token_id=tokenizer.pad_id,
    )[:, width:].tolist()
    ends = [next((k for k, i in enumerate(row) if i in stops), len(row)) for row in found]
    return [row[:end] for row, end in zip(found, ends, strict=True)]


if __name__ == "__main__":
    run()
