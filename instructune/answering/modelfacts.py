"""What a model's files say of its answers: where they end, how long they get, whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from instructune import lineage
from instructune.fetching.modelfiles import ModelFiles
from instructune.jsonl import load_document
from instructune.tokenizer import Tokenizer
from instructune.training.plan import limit_of


def fingerprint(files: ModelFiles, seed: int) -> str:
    """The model's; a preset's weights are told by the seed that draws them as well."""
    if files.random and files.seed is None:
        return lineage.fingerprint({"preset": files.fingerprint, "seed": seed})
    return files.fingerprint


def longest(files: ModelFiles, asked: int | None) -> int | None:
    """Tokens of a sequence at most, by the model and by what is asked; None where any length goes.

    An adapter's virtual tokens take places of the model's too.
    """
    given = [n for n in (limit_of(_document(files.folder / "config.json")), asked) if n is not None]
    if not given or not files.adapter:
        return min(given, default=None)
    adapter = _document(files.adapter / "adapter_config.json")
    return min(given) - (adapter.get("num_virtual_tokens") or 0)


def stop_ids(files: ModelFiles, tokenizer: Tokenizer) -> frozenset[int]:
    """Ids that end an answer: those the adapter's folder names, else the model's, and eos."""
    stops = {tokenizer.eos_id}
    folders = [folder for folder in (files.adapter, files.folder) if folder]
    for path in [f / name for f in folders for name in ("generation_config.json", "config.json")]:
        if (found := _document(path).get("eos_token_id")) is not None:
            stops |= set(found if isinstance(found, list) else [found])
            break
    return frozenset(i for i in stops if i is not None)


def _document(path: Path) -> dict[str, Any]:
    return load_document(path.read_bytes(), str(path)) if path.is_file() else {}
