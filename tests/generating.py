"""What the tests of generation share: tiny models, chats, and rows to answer."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from instructune.answering.decoding import Row, Settings, decode
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model, save_model

GREEDY = Settings(0.0, 1.0, 0)
NEVER: frozenset[int] = frozenset()


def tiny(name: str, seed: int = 0, spread: float = 0.3) -> PreTrainedModel:
    """A preset in float32 with weights so large that its answers vary."""
    torch.set_num_threads(1)
    model = load_model(resolve(name), dtype=torch.float32, seed=seed)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, spread)
    return model


def prompts(count: int, *, start: int = 0, seed: int = 0, longest: int = 30) -> list[list[int]]:
    """Prompts of 1 to `longest` random bytes, behind `start` that all share."""
    draw = torch.Generator().manual_seed(seed)

    def some(low: int, high: int) -> list[int]:
        length = int(torch.randint(low, high + 1, (), generator=draw))
        return torch.randint(0, 256, (length,), generator=draw).tolist()

    shared = some(start, start)
    return [shared + some(1, longest) for _ in range(count)]


def peer(model: Any, prompt: list[int], most: int, stops: frozenset[int] = NEVER) -> list[int]:
    """What `transformers.generate` answers to one prompt alone, without the stop token."""
    ids = model.generate(
        input_ids=torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        max_new_tokens=most,
        do_sample=False,
        eos_token_id=sorted(stops) or None,
        pad_token_id=256,
    )[0, len(prompt) :].tolist()
    return ids[:-1] if ids and ids[-1] in stops else ids


def answers(
    model: Any,
    asked: list[list[int]],
    most: int | list[int] = 12,
    *,
    stops: frozenset[int] = NEVER,
    settings: Settings = GREEDY,
    batch_size: int = 8,
    seed: int = 0,
) -> list[Row]:
    """Our answers to prompts, keyed by their places."""
    limits = most if isinstance(most, list) else [most] * len(asked)
    rows = [Row(ids, limits[i], f"{seed}/{i}") for i, ids in enumerate(asked)]
    decode(model, sorted(rows, key=lambda row: -len(row.prompt)), stops, settings, batch_size)
    return rows


def chat(text: str, answer: str | None = None, **more: Any) -> dict[str, Any]:
    """A row with one question, and its answer where there is one."""
    messages = [{"role": "user", "content": text}]
    if answer is not None:
        messages.append({"role": "assistant", "content": answer})
    return {"messages": messages} | more


def write_rows(path: Path, rows: list[dict[str, Any]]) -> str:
    """Write rows as JSONL; the path as text."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(path)


def read_rows(path: str | Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file, compressed or not."""
    data = Path(path).read_bytes()
    if str(path).endswith(".gz"):
        data = gzip.decompress(data)
    return [json.loads(line) for line in data.splitlines()]


def save_tiny(folder: Path, name: str = "tiny-llama", **changes: Any) -> Path:
    """A tiny model with varied answers as a plain folder; `changes` are to its config."""
    from transformers import AutoConfig, AutoModelForCausalLM

    folder.mkdir(exist_ok=True)
    files = resolve(name)
    config = AutoConfig.from_pretrained(files.folder)
    config.update(changes)
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.3)
    save_model(model, folder, torch.float32)
    for path in files.folder.iterdir():
        if path.name not in ("config.json", "contents.json"):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder
