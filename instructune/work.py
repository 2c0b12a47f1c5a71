"""What `train` is about to do, as far as it can be known without torch."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from instructune.batches import TokenData
from instructune.modelfiles import ModelFiles
from instructune.tokenizer import Tokenizer


@dataclass(frozen=True)
class Work:
    """Model files, tokens, plug-ins and fingerprints of a run."""

    model: ModelFiles
    model_config: dict[str, Any]
    tokenizer: Tokenizer
    data: TokenData
    eval_data: TokenData | None
    method: ModuleType
    method_options: Any
    objective: ModuleType
    max_length: int
    counts: dict[str, Any]
    dropped: list[str]
    stops: list[int]
    fingerprints: dict[str, str]
    identity: dict[str, Any]
