"""What `train` is about to do, as far as it can be known without torch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from instructune import files
from instructune.adversaries import adversaries
from instructune.answering.roles import Role
from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError, usage
from instructune.fetching.modelconfigs import read_config
from instructune.fetching.modelfiles import ModelFiles
from instructune.objectives import objectives
from instructune.optimizers import optimizers
from instructune.retentions import retentions
from instructune.rundir import RunDir
from instructune.schedules import schedules
from instructune.tokenizer import Tokenizer
from instructune.training import plan, runs
from instructune.training.batches import TokenData
from instructune.training.data import Reader
from instructune.training.goals import Given, Objective
from instructune.training.replaying import replays
from instructune.training.starting import Start, start_of


@dataclass(frozen=True)
class Retained:
    """The options of one `--retain`, and the old rows that they name."""

    options: Any
    rows: TokenData | None


@dataclass(frozen=True)
class Work:
    """Model files, tokens, plug-ins and fingerprints of a run."""

    start: Start
    model_config: dict[str, Any]
    tokenizer: Tokenizer
    data: TokenData
    eval_data: TokenData | None
    retained: dict[str, Retained]
    objective: Objective
    role: Role
    """which objective answers, and how"""
    pad_id: int
    max_length: int
    counts: dict[str, Any]
    dropped: list[str]
    stops: list[int]
    fingerprints: dict[str, str]
    identity: dict[str, Any]

    @property
    def model(self) -> ModelFiles:
        """The files of the model that training begins with."""
        return self.start.model


def read_work(
    config: TrainConfig, run: RunDir, stack: ExitStack, note: Callable[[str], None]
) -> Work:
    """Read and check the model's files and all data.

    Files that are written on the way are whole once `stack` is closed without an error.
    """
    _check_files(config)
    holding = _plug_ins(config)
    start = start_of(config, note)
    objective_name, plug_in, options = objectives.configure(start.objective)
    tokenizer = Tokenizer(start.model.tokenizer, config.template)
    model_config = read_config(start.model.folder)
    limit = _limit(config, start, model_config)
    given = Given(
        tokenizer,
        limit,
        config.overflow,
        config.train_on,
        stored=start.model.head,
        pad_id=pad_id_of(tokenizer, model_config),
        seed=config.seed,
    )
    objective: Objective = plug_in.Objective(options, given)

    reader = Reader(config, run, objective, model_config.get("vocab_size"), note)
    train, parts = reader.training(stack), {}
    if config.eval_data:
        parts["eval_data"] = reader.other(config.eval_data)
    for name, settings in holding.items():
        if hasattr(settings, "data"):
            parts[f"retain {name}"] = reader.other(settings.data, settings.rows)
    prints = {"data": train.fingerprint} | {k: part.fingerprint for k, part in parts.items()}
    prints |= start.fingerprints | {"tokenizer": tokenizer.fingerprint}
    data = {name: part.data for name, part in parts.items()}
    role = Role(objective_name, objective.head, objective.facts)
    _check_head(start, role)
    return Work(
        start=start,
        model_config=model_config,
        tokenizer=tokenizer,
        data=train.data,
        eval_data=data.get("eval_data"),
        retained={k: Retained(v, data.get(f"retain {k}")) for k, v in holding.items()},
        objective=objective,
        role=role,
        pad_id=given.pad_id,
        max_length=limit,
        counts=train.counts | {name: part.counts for name, part in parts.items()},
        dropped=train.dropped,
        stops=sorted(train.stops | tokenizer.stop_ids),
        fingerprints=prints,
        identity=runs.identity(config, start, prints),
    )


def _check_files(config: TrainConfig) -> None:
    old = [replay.file for replay in replays(config.replay)]
    inputs = [*config.data, *filter(None, [config.eval_data]), *old]
    if inputs.count(files.STDIO) > 1 or files.STDIO in old:
        raise usage("standard input can be read only once", where=files.STDIO)
    if config.rejects and not config.dry_run:
        files.check_creatable(config.rejects)
        files.check_distinct(inputs, config.rejects)


def _plug_ins(config: TrainConfig) -> dict[str, Any]:
    """Check what names plug-ins; the options of those of `--retain`, by name."""
    optimizers.configure(config.optimizer)
    schedules.configure(config.schedule)
    if config.adversarial:
        adversaries.configure(config.adversarial)
    found: dict[str, Any] = {}
    for spec in config.retain:
        name, _, options = retentions.configure(spec)
        if name in found:
            raise usage(f"{name!r} is given twice", where="--retain")
        found[name] = options
    return found


def _check_head(start: Start, role: Role) -> None:
    """An adapter that is trained further has its head in it, which cannot grow."""
    before, now = start.model.head, role.head
    if start.goes_on and (before.kind, before.labels) != (now.kind, now.labels):
        new = [label for label in now.labels if label not in before.labels]
        what = f"its head has no place for the labels {', '.join(map(repr, new))}"
        raise UserError(
            what if new else f"its head is for the objective {before.kind!r}",
            where=start.model.name,
            hint=f"put a new adapter on top, whose head has one: --model {start.model.name}",
            code=Exit.MISMATCH,
        )


def _limit(config: TrainConfig, start: Start, model_config: dict[str, Any]) -> int:
    """The longest sequence, with places for virtual tokens beside it."""
    most = plan.limit_of(model_config)
    if most is not None:
        most -= start.virtual_tokens
        if most < 1:
            within = most + start.virtual_tokens
            raise usage(f"virtual_tokens leave no room within {within}", where="--method")
    if config.max_length is None:
        return plan.longest(most, preset=start.model.random)
    if most is not None and config.max_length > most:
        raise UserError(
            f"the model takes {most} tokens at most, got {config.max_length}",
            where="--max-length",
            code=Exit.MISMATCH,
        )
    return config.max_length


def pad_id_of(tokenizer: Tokenizer, model_config: dict[str, Any]) -> int:
    """The tokenizer's, where the model has an embedding for it."""
    size = model_config.get("vocab_size")
    return tokenizer.pad_id if not isinstance(size, int) or tokenizer.pad_id < size else 0
