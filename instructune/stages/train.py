"""train: records -> tokens -> batches -> a run directory.

torch is loaded only once the settings, the run directory and all data are known to be in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, nullcontext
from typing import Any

from instructune import environment, files, plan, runs
from instructune.batches import TokenData
from instructune.configs import TrainConfig
from instructune.errors import UserError, usage
from instructune.jsonl import BadRow, RowWriter, dumps, load_document
from instructune.methods import methods
from instructune.modelfiles import resolve
from instructune.objectives import objectives
from instructune.records import Record
from instructune.rundir import RunDir
from instructune.runs import Decision
from instructune.sources import Reading, Tally, read_records
from instructune.tokenizer import Tokenizer
from instructune.tokens import Encoding
from instructune.work import Work

Notify = Callable[[dict[str, Any]], None]


def train(config: TrainConfig, notify: Notify) -> dict[str, Any]:
    """Train a model on records; returns the final report.

    A run with the same settings is resumed where it stopped, or left alone where it is finished.
    """
    run = RunDir(config.output)
    if config.overwrite and not config.dry_run:
        runs.move_aside(run)
    with nullcontext() if config.dry_run else run.locked():
        try:
            with ExitStack() as stack:
                runs.check_place(run)
                work = _read(config, run, stack, notify)
                decision = runs.decide(run, config, work.identity)
            return _do(config, run, work, decision, notify)
        finally:
            runs.remove_empty(run)


def _do(
    config: TrainConfig, run: RunDir, work: Work, decision: Decision, notify: Notify
) -> dict[str, Any]:
    environment.before_torch()
    from instructune import fitting

    if config.dry_run:
        return fitting.rehearse(config, work)
    if decision is Decision.NOTHING:
        document = run.document() or {}
        notify({"event": "note", "text": f"{run.path}: finished already, nothing to do"})
        return document["result"]
    return fitting.fit(config, run, work, decision, notify)


def _read(config: TrainConfig, run: RunDir, stack: ExitStack, notify: Notify) -> Work:
    """All that can be known without torch: model files, tokens, counts, fingerprints."""
    method_name, method, options = methods.configure(config.method)
    objective = objectives[config.objective]
    model = resolve(config.model, lambda text: notify({"event": "note", "text": text}))
    tokenizer = Tokenizer(model.adapter or model.folder, config.template)
    model_config = load_document(
        (model.folder / "config.json").read_bytes(), str(model.folder / "config.json")
    )
    limit = config.max_length or plan.longest(
        plan.limit_of(model_config), preset=model.random
    )
    encoding = Encoding(tokenizer, config.train_on, limit, config.overflow)
    tally, hashes = Tally(), {}
    reading = Reading(config.format, config.field, "own", config.bad_rows)
    records = _records(config, run, reading, tally, stack)
    data = TokenData(encoding.sequences(_hashed(records, "data", hashes)))
    if not len(data):
        raise UserError(
            "no row is left to learn", where=", ".join(_sources(config, run)), hint="see --overflow"
        )
    eval_data = None
    if config.eval_data:
        reading = Reading(config.format, config.field, "own")
        held_out = read_records([config.eval_data], reading, Tally())
        eval_data = TokenData(encoding.sequences(_hashed(held_out, "eval_data", hashes)))
    prints = hashes | {"model": model.fingerprint, "tokenizer": tokenizer.fingerprint}
    return Work(
        model=model,
        model_config=model_config,
        tokenizer=tokenizer,
        data=data,
        eval_data=eval_data,
        method=method,
        method_options=options,
        objective=objective,
        max_length=limit,
        counts=tally.as_dict() | {"encoding": {k: n for k, n in encoding.counts.items() if n}},
        dropped=encoding.dropped,
        stops=sorted(encoding.stops | tokenizer.stop_ids),
        fingerprints=prints,
        identity=runs.identity(config, method_name, options, prints),
    )


def _sources(config: TrainConfig, run: RunDir) -> tuple[str, ...]:
    if config.data:
        return config.data
    if run.data_path.is_file():
        return (str(run.data_path),)
    raise usage("no input", hint="name a file of records, or pipe them in")


def _records(
    config: TrainConfig, run: RunDir, reading: Reading, tally: Tally, stack: ExitStack
) -> Iterator[Record]:
    """The training records; those from a pipe are kept in the run, so it can be resumed alone."""
    reject = None
    if config.rejects:
        rejects = RowWriter(stack.enter_context(files.open_output(config.rejects)))

        def reject(row: BadRow) -> None:
            rejects.write(row._asdict())

    sources = _sources(config, run)
    records = read_records(sources, reading, tally, reject)
    if files.STDIO in sources and not config.dry_run:
        kept = RowWriter(stack.enter_context(files.open_output(str(run.data_path))))
        return _kept(records, kept)
    return records


def _kept(records: Iterable[Record], writer: RowWriter) -> Iterator[Record]:
    for record in records:
        writer.write(record)
        yield record


def _hashed(
    records: Iterable[Record], name: str, hashes: dict[str, str]
) -> Iterator[Record]:
    """Pass the records on; leave the hash of their content, wherever they came from."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(dumps({k: v for k, v in record.items() if k != "origin"}))
        yield record
    hashes[name] = digest.hexdigest()[:16]
