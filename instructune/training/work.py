"""What `train` is about to do, as far as it can be known without torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from instructune import files
from instructune.adversaries import adversaries
from instructune.answering.roles import Role
from instructune.architectures import stored_head
from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError, usage
from instructune.fetching.modelconfigs import read_config
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.jsonl import BadRow, RowWriter, dumps
from instructune.methods import methods
from instructune.objectives import objectives
from instructune.optimizers import optimizers
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.rundir import RunDir
from instructune.schedules import schedules
from instructune.tokenizer import Tokenizer
from instructune.training import plan, runs
from instructune.training.batches import TokenData
from instructune.training.goals import Given, Objective


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


@dataclass(frozen=True)
class _Side:
    """The training data or the evaluation data, and what became of its rows."""

    data: TokenData
    counts: dict[str, Any]
    dropped: list[str]
    stops: set[int]
    fingerprint: str


def read_work(
    config: TrainConfig, run: RunDir, stack: ExitStack, note: Callable[[str], None]
) -> Work:
    """Read and check the model's files and all data.

    Files that are written on the way are whole once `stack` is closed without an error.
    """
    _check_files(config)
    method_name, method, options = methods.configure(config.method)
    objective_name, plug_in, objective_options = objectives.configure(config.objective)
    optimizers.configure(config.optimizer)
    schedules.configure(config.schedule)
    if config.adversarial:
        adversaries.configure(config.adversarial)
    model = resolve(config.model, note)
    _check_method(config, method, model)
    tokenizer = Tokenizer(model.tokenizer, config.template)
    model_config = read_config(model.folder)
    taken = getattr(options, "virtual_tokens", 0)
    limit = _limit(config, model, model_config, taken)

    given = Given(
        tokenizer,
        limit,
        config.overflow,
        config.train_on,
        stored=stored_head(model_config),
        pad_id=pad_id_of(tokenizer, model_config),
        seed=config.seed,
    )
    objective: Objective = plug_in.Objective(objective_options, given)

    def tokens(records: Iterable[Record], tally: Tally, where: str, *, learns: bool) -> _Side:
        side = _side(records, tally, objective, where, learns=learns)
        _check_vocabulary(side.data, model_config, config.model)
        return side

    tally = Tally()
    sources = ", ".join(_sources(config, run))
    train = tokens(_records(config, run, tally, stack), tally, sources, learns=True)
    prints = {"data": train.fingerprint}
    counts, stops, held_out = train.counts, train.stops | tokenizer.stop_ids, None
    if config.eval_data:
        tally = Tally()
        records = read_records([config.eval_data], Reading(config.format, config.field), tally)
        held_out = tokens(records, tally, config.eval_data, learns=False)
        prints["eval_data"] = held_out.fingerprint
        counts = counts | {"eval_data": held_out.counts}
    prints |= {"model": model.fingerprint, "tokenizer": tokenizer.fingerprint}
    return Work(
        model=model,
        model_config=model_config,
        tokenizer=tokenizer,
        data=train.data,
        eval_data=held_out.data if held_out else None,
        method=method,
        method_options=options,
        objective=objective,
        role=Role(objective_name, objective.head, objective.facts),
        pad_id=given.pad_id,
        max_length=limit,
        counts=counts,
        dropped=train.dropped,
        stops=sorted(stops),
        fingerprints=prints,
        identity=runs.identity(config, method_name, options, prints),
    )


def _check_files(config: TrainConfig) -> None:
    inputs = [*config.data, *filter(None, [config.eval_data])]
    if inputs.count(files.STDIO) > 1:
        raise usage("standard input can be read only once", where=files.STDIO)
    if config.rejects and not config.dry_run:
        files.check_creatable(config.rejects)
        files.check_distinct(inputs, config.rejects)


def _check_method(config: TrainConfig, method: ModuleType, model: ModelFiles) -> None:
    if method.ADAPTER and model.adapter:
        raise UserError(
            "has an adapter already, and another one beside it could not be loaded",
            where=config.model,
            hint="merge it first (instructune export --to merged), or train with --method full",
            code=Exit.MISMATCH,
        )
    if method.ADAPTER and config.save_dtype not in (None, "float32"):
        raise usage("adapters are saved in float32", where="--save-dtype")


def _limit(config: TrainConfig, model: ModelFiles, model_config: dict[str, Any], taken: int) -> int:
    """The longest sequence, with `taken` places for virtual tokens beside it."""
    most = plan.limit_of(model_config)
    if most is not None:
        most -= taken
        if most < 1:
            raise usage(f"virtual_tokens leave no room within {most + taken}", where="--method")
    if config.max_length is None:
        return plan.longest(most, preset=model.random)
    if most is not None and config.max_length > most:
        raise UserError(
            f"the model takes {most} tokens at most, got {config.max_length}",
            where="--max-length",
            code=Exit.MISMATCH,
        )
    return config.max_length


def _sources(config: TrainConfig, run: RunDir) -> tuple[str, ...]:
    if config.data:
        return config.data
    if run.data_path.is_file():
        return (str(run.data_path),)
    raise usage("no input", hint="name a file of records, or pipe them in")


def _records(config: TrainConfig, run: RunDir, tally: Tally, stack: ExitStack) -> Iterator[Record]:
    """The training records; those from a pipe are kept in the run, so it can be resumed alone."""
    sources = _sources(config, run)
    if not config.data:  # records that were kept, so the settings for raw rows are behind them
        return read_records(sources, Reading(), tally)
    rejects: RowWriter | None = None
    if config.rejects and not config.dry_run:
        rejects = RowWriter(stack.enter_context(files.open_output(config.rejects)))

    def reject(row: BadRow) -> None:
        if rejects:
            rejects.write(row._asdict())

    reading = Reading(config.format, config.field, bad_rows=config.bad_rows)
    records = read_records(sources, reading, tally, reject)
    if files.STDIO in sources and not config.dry_run:
        kept = RowWriter(stack.enter_context(files.open_output(str(run.data_path))))
        return _kept(records, kept)
    return records


def _kept(records: Iterable[Record], writer: RowWriter) -> Iterator[Record]:
    for record in records:
        writer.write(record)
        yield record


def pad_id_of(tokenizer: Tokenizer, model_config: dict[str, Any]) -> int:
    """The tokenizer's, where the model has an embedding for it."""
    size = model_config.get("vocab_size")
    return tokenizer.pad_id if not isinstance(size, int) or tokenizer.pad_id < size else 0


def _side(
    records: Iterable[Record], tally: Tally, objective: Objective, where: str, *, learns: bool
) -> _Side:
    encoding = objective.encoding(learns=learns)
    digest = hashlib.sha256()

    def hashed() -> Iterator[Record]:
        """The records as they are; their content is what counts, not where they came from."""
        for record in records:
            digest.update(dumps({k: v for k, v in record.items() if k != "origin"}))
            yield record

    data = TokenData(encoding.sequences(hashed()), objective.collate, whole=objective.whole)
    if not len(data):
        raise UserError("no row is left to learn", where=where, hint="see --overflow")
    tally.check()
    counts = tally.as_dict() | {"encoding": {k: n for k, n in encoding.counts.items() if n}}
    fingerprint = digest.hexdigest()[:16]
    return _Side(data, counts, encoding.dropped, encoding.stops, fingerprint)


def _check_vocabulary(data: TokenData, model_config: dict[str, Any], model: str) -> None:
    size, largest = model_config.get("vocab_size"), int(data.ids.max())
    if isinstance(size, int) and largest >= size:
        raise UserError(
            f"its tokenizer gives the id {largest}, but the model has only {size} embeddings",
            where=model,
            code=Exit.MISMATCH,
        )
