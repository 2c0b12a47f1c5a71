"""A sweep's file: what is trained, what is searched, and how; read, checked and fingerprinted."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from instructune import lineage
from instructune.configs import GenerateConfig, SweepConfig, TrainConfig
from instructune.errors import did_you_mean, usage
from instructune.files import STDIO
from instructune.metrics import metrics
from instructune.settings import from_table, read_toml
from instructune.sweeping.ranges import read_space
from instructune.sweeping.space import Space

LOSS = "eval_loss"  # the metric that needs no answers
_TABLES = ("sweep", "train", "search", "generate", "best")
_NOT_TRAINED = ("output", "overwrite", "resume", "dry_run", "eval_first")
_NOT_GENERATED = ("data", "output", "model", "prompt", "overwrite", "format", "field", "manifest")
_USUAL = 20  # trials

# Of the settings that all trials share, those that change no value but for rounding.
_NOT_COMPARED = frozenset(
    {
        *("data", "eval_data", "model", "output", "resume", "overwrite", "dry_run", "track"),
        *("threads", "micro_batch_tokens", "device", "format", "field", "bad_rows", "rejects"),
        *("log_every", "checkpoint_every", "keep_checkpoints"),
    }
)


@dataclass(frozen=True)
class Asked:
    """A sweep as it was asked for."""

    config: SweepConfig
    space: Space
    generate: dict[str, Any]
    best: dict[str, Any] | None
    """what the last training does otherwise than the best trial; None: there is none"""

    @property
    def sign(self) -> int:
        """1 where less of the metric is better, -1 where more is."""
        if self.config.mode:
            return 1 if self.config.mode == "min" else -1
        if self.config.metric == LOSS:
            return 1
        name = metrics.configure(self.config.metric)[0]
        return -1 if metrics.facts(name)["HIGHER_IS_BETTER"] else 1

    @property
    def trials(self) -> int:
        """How many there are to be: as many as asked for, and as there are points."""
        size = self.space.size
        wanted = self.config.trials
        if wanted is None:
            wanted = size if size and self.config.sampler == "grid" else _USUAL
        return min(wanted, size) if size else wanted

    def identity(self, min_steps: int | None) -> dict[str, Any]:
        """Everything that decides which trials come in which order, but for their number."""
        config = self.config
        shared = lineage.plain(TrainConfig(**self.space.train))
        found = {f"train.{k}": v for k, v in shared.items() if k not in _NOT_COMPARED}
        found |= {f"generate.{key}": lineage.shortened(v) for key, v in self.generate.items()}
        for parameter in self.space.parameters:
            found[f"search.{parameter.name}"] = parameter.told()
        found |= {"sampler": config.sampler, "seed": config.seed, "metric": config.metric}
        found |= {"mode": "min" if self.sign > 0 else "max", "pruning": config.pruning}
        if config.pruning != "none":
            found |= {"min_steps": min_steps, "reduction": config.reduction}
        return found


def read_asked(path: str, given: dict[str, Any]) -> Asked:
    """The sweep in the TOML file `path`; what was typed, `given`, beats its table `[sweep]`."""
    document = read_toml(path)
    for name, table in document.items():
        if name not in _TABLES:
            hint = did_you_mean(name, _TABLES)
            raise usage(f"unknown table [{name}]", where=path, hint=hint)
        if not isinstance(table, dict):
            raise usage("must be a table", where=f"{path}: {name}")
    config = SweepConfig(**(_table(document, "sweep", SweepConfig, path, ("dry_run",)) | given))
    train = _table(document, "train", TrainConfig, path, _NOT_TRAINED)
    generate = _table(document, "generate", GenerateConfig, path, _NOT_GENERATED)
    best = None
    if "best" in document:
        best = _table(document, "best", TrainConfig, path, (*_NOT_TRAINED, "eval_data"))
        TrainConfig(**(train | best))
    asked = Asked(config, read_space(train, document.get("search", {}), path), generate, best)
    _check(asked, path)
    return asked


def _table(
    document: dict[str, Any], name: str, kind: type, path: str, without: tuple[str, ...]
) -> dict[str, Any]:
    where = f"{path}: {name}"
    found = from_table(kind, document.get(name, {}), where)
    for key in without:
        if key in found:
            raise usage("is not for a sweep's file", where=f"{where}.{key}")
    kind(**found)
    return found


def _check(asked: Asked, path: str) -> None:
    config, train = asked.config, asked.space.train
    if STDIO in train.get("data", ()) or not train.get("data"):
        raise usage("must name files: each trial reads them", where=f"{path}: train.data")
    if train.get("eval_data") in (None, STDIO):
        reason = "must name a file: trials are compared on it"
        raise usage(reason, where=f"{path}: train.eval_data")
    if config.metric == LOSS:
        if asked.generate:
            hint = 'metric = "exact_match", for example'
            raise usage(f"{LOSS} needs no answers", where=f"{path}: generate", hint=hint)
    else:
        metrics.configure(config.metric)
    if config.sampler == "grid":
        for parameter in asked.space.parameters:
            parameter.values()
    for parameter in asked.space.parameters:
        if parameter.points and config.sampler != "grid":
            reason = f"points are for the sampler grid, not {config.sampler}"
            raise usage(reason, where=f"{path}: search.{parameter.name}")


def fields_that_differ(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Each setting that differs, as `name: before -> now`."""
    return [
        f"{name}: {before.get(name)} -> {now.get(name)}"
        for name in dict.fromkeys([*before, *now])
        if before.get(name) != now.get(name)
    ]


def job(asked: Asked, params: dict[str, Any], output: str, threads: int) -> dict[str, Any]:
    """What a worker is to do: settings of train and generate as JSON, and the metric."""
    settings = {"threads": threads} | asked.space.settings(params) | {"output": output}
    config = TrainConfig(**settings)
    return {
        "train": dataclasses.asdict(config),
        "generate": {"threads": config.threads} | asked.generate,
        "metric": asked.config.metric,
    }
