"""What the loop is to do: settings that depend on model, method, data or hardware, resolved."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from instructune.configs import TrainConfig
from instructune.optimizers import optimizers
from instructune.training.batches import TokenData, steps_per_epoch


@dataclass(frozen=True)
class Plan:
    """What the training loop is to do."""

    steps: int
    batch_size: int
    micro_batch_tokens: int
    learning_rate: float
    warmup_steps: int
    schedule: str
    max_grad_norm: float
    seed: int
    eval_every: int
    checkpoint_every: int
    steps_per_epoch: int
    log_every: int
    eval_first: bool
    early_stopping: int | None
    pad_id: int


RATES = {"random": 1e-3, "adapter": 2e-4, "full": 2e-5}
LONGEST = 2048
MICRO_BATCH_TOKENS = {"cpu": 2048, "cuda": 16384}
EPOCHS = 3.0
_RELATIVE = {"t5", "mt5", "umt5", "longt5"}  # positions are told by distance
_ROBERTAS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "roberta-prelayernorm"}
_FIRST_POSITION = 2  # theirs, behind that of padding


def rate_of(*, random: bool, adapter: bool, optimizer: str = "adamw") -> float:
    """Learning rate by what is trained, and by what."""
    usual = RATES["random" if random else "adapter" if adapter else "full"]
    return float(usual * optimizers[optimizer.partition(":")[0]].RATE)


def longest(model_limit: int | None, *, preset: bool) -> int:
    """`min(model limit, 2048)`; presets count bytes and take all they can."""
    limit = model_limit or LONGEST
    return limit if preset else min(limit, LONGEST)


def steps_of(config: TrainConfig, rows: int) -> int:
    """Optimizer steps in all: `--steps` at most, and `--epochs` at most."""
    per_epoch = steps_per_epoch(rows, config.batch_size)
    epochs = config.epochs
    if epochs is None:
        epochs = EPOCHS if config.steps is None else math.inf
    by_epochs = max(1.0, epochs * per_epoch)
    return round(min(by_epochs, config.steps or math.inf))


def plan_of(config: TrainConfig, data: TokenData, *, rate: float, device: str, pad_id: int) -> Plan:
    """All numbers of the loop, resolved."""
    per_epoch = steps_per_epoch(len(data), config.batch_size)
    steps = steps_of(config, len(data))
    return Plan(
        steps=steps,
        batch_size=config.batch_size,
        micro_batch_tokens=config.micro_batch_tokens or MICRO_BATCH_TOKENS.get(device, 2048),
        learning_rate=rate,
        warmup_steps=round(config.warmup * steps),
        schedule=config.schedule,
        max_grad_norm=config.max_grad_norm,
        seed=config.seed,
        eval_every=config.eval_every or per_epoch,
        checkpoint_every=config.checkpoint_every,
        steps_per_epoch=per_epoch,
        log_every=config.log_every,
        eval_first=config.eval_first,
        early_stopping=config.early_stopping,
        pad_id=pad_id,
    )


def limit_of(model_config: dict[str, Any]) -> int | None:
    """The longest sequence a model takes, by its config.json; None where any length goes."""
    kind = model_config.get("model_type")
    if kind in _RELATIVE:
        return None
    taken = _FIRST_POSITION if kind in _ROBERTAS else 0
    for key in ("max_position_embeddings", "n_positions", "max_sequence_length"):
        if isinstance(model_config.get(key), int):
            return int(model_config[key]) - taken
    return None
