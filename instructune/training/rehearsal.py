"""`--dry-run`: what a training would be made of and cost, told before it is begun."""

from __future__ import annotations

import math
import time
from typing import Any

from instructune import hardware
from instructune.configs import TrainConfig
from instructune.memory import memory_errors
from instructune.optimizers import optimizers
from instructune.retentions import retentions
from instructune.training.batches import Batch, step_rows
from instructune.training.fitting import Fit
from instructune.training.unpadding import is_unpadded
from instructune.training.work import Work

_AVERAGE_BYTES = 4  # float32


def rehearse(config: TrainConfig, work: Work) -> dict[str, Any]:
    """Everything resolved, and the heaviest micro-batch of the first step run; writes nothing.

    The first step holds the longest row, so its memory is about the most that is needed.
    """
    with memory_errors():
        fitted = Fit(config, work)
        seconds, padded = _measure(fitted, work)
    plan = fitted.plan
    tokens = round(work.data.tokens / plan.steps_per_epoch * plan.steps)
    return {
        "resolved": fitted.resolved(work),
        "counts": work.counts,
        "dropped": work.dropped,
        "rows": len(work.data),
        "tokens_an_epoch": work.data.tokens,
        "learned_an_epoch": {"of": _learned(work), "number": work.data.learned},
        "longest_row": int(work.data.lengths.max()),
        "trainable_share": round(fitted.trainable / fitted.parameters, 6),
        "estimated_tokens": tokens,
        "estimated_seconds": round(tokens * seconds / padded, 3),
        "estimated_memory": hardware.peak_memory() + _bytes_to_come(config) * fitted.trainable,
        "fingerprints": work.fingerprints,
        "mask": _mask_sample(work),
    }


def _bytes_to_come(config: TrainConfig) -> int:
    """What the first step will add of each trained parameter."""
    remembered: int = optimizers[config.optimizer.partition(":")[0]].STATE_BYTES
    averages = config.ema is not None or config.swa is not None
    names = (spec.partition(":")[0] for spec in config.retain)
    held = sum(int(retentions[name].STATE_BYTES) for name in names)
    return remembered + held + _AVERAGE_BYTES * averages


def _measure(fitted: Fit, work: Work) -> tuple[float, int]:
    """Seconds and tokens of the heaviest micro-batch of the first step, with its padding if any."""
    plan, unpadded = fitted.plan, is_unpadded(fitted.model)
    rows = next(step_rows(work.data, plan.batch_size, plan.seed))
    groups = work.data.groups(rows, plan.micro_batch_tokens, len(rows), unpadded)
    sizes = [_tokens(work, group, unpadded) for group in groups]
    heaviest = work.data.batch(groups[sizes.index(max(sizes))], plan.pad_id)
    fitted.model.train()
    # the first pass also prepares kernels and memory, so only the second tells the speed
    seconds = min(_seconds(fitted, heaviest) for _ in range(2))
    return seconds, max(sizes)


def _tokens(work: Work, rows: list[int], unpadded: bool) -> int:
    lengths = work.data.lengths[rows]
    return int(lengths.sum() if unpadded else lengths.max() * len(rows))


def _seconds(fitted: Fit, batch: Batch) -> float:
    started = time.monotonic()
    (fitted.loss(batch) / batch.units).backward()
    return max(time.monotonic() - started, math.ulp(1.0))


def _learned(work: Work) -> str:
    """What has a target: each of some tokens, or a row as a whole."""
    columns = work.data.columns
    targets = columns["output"] if "output" in columns else columns["ids"]
    return "tokens" if len(columns["weights"].values) == len(targets.values) else "rows"


def _mask_sample(work: Work) -> list[list[Any]]:
    """The first row as `[token, learned]` pairs; an output stands behind its input."""
    columns = work.data.columns
    ids, weights = (columns[name].of(0).tolist() for name in ("ids", "weights"))
    output = columns["output"].of(0).tolist() if "output" in columns else []
    if len(weights) == len(output):
        ids, weights = ids + output, [0.0] * len(ids) + weights
    elif _learned(work) == "rows":
        weights = [0.0] * len(ids)
    pairs = zip(ids, weights, strict=True)
    return [[work.tokenizer.token(i), bool(weight)] for i, weight in pairs]
