"""generate: records -> prompts -> completions -> predictions, a window of rows at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from instructune import files, lineage
from instructune.backends import backends
from instructune.completions import Backend, Prompt, prediction
from instructune.configs import GenerateConfig
from instructune.errors import UserError
from instructune.jsonl import RowWriter
from instructune.partial import Partial
from instructune.records import Record
from instructune.sources import Reading, Tally, read_records

Notify = Callable[[dict[str, Any]], None]
_WINDOW = 8  # batches a window

# Settings that do not change the answers.
_NOT_COMPARED = frozenset({"data", "output", "overwrite", "manifest", "device", "threads"})


@dataclass
class Summary:
    """What came of the rows."""

    rows: int = 0
    predictions: int = 0
    kept: int = 0
    errors: int = 0
    first_error: str | None = None
    stopped: int = 0
    completion_tokens: int = 0

    def add(self, row: dict[str, Any]) -> None:
        """Count one prediction."""
        self.predictions += 1
        self.completion_tokens += row["usage"]["completion_tokens"]
        self.stopped += row["finish_reason"] == "stop"
        if row["finish_reason"] == "error":
            self.errors += 1
            self.first_error = self.first_error or f"id {row['id']!r}: {row['error']}"


def generate(config: GenerateConfig, notify: Notify) -> dict[str, Any]:
    """Answer every record; returns the report. Killed and started again, it goes on."""
    files.check_creatable(config.output)
    files.check_distinct(list(config.data), config.output)
    backend = backends[config.backend].connect(config, notify)
    tally, summary = Tally(), Summary()
    records = _records(config, tally)
    started = time.monotonic()
    if config.output == files.STDIO:
        with files.open_output(config.output) as out:
            writer = RowWriter(out)
            for rows in _predictions(config, backend, records, summary, notify):
                writer.write_all(rows)
            _check(summary)
    else:
        _to_file(config, backend, records, summary, notify)
    if manifest := lineage.manifest_path(config.output, config.manifest):
        lineage.write_manifest(
            manifest,
            artifact=config.output,
            rows=summary.predictions,
            config=config,
            inputs=tally.inputs,
            model=backend.fingerprint,
        )
    seconds = time.monotonic() - started
    return asdict(summary) | {
        "rows_in": tally.rows_in,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(summary.completion_tokens / max(seconds, 1e-9), 1),
    }


def _check(summary: Summary) -> None:
    if summary.errors == summary.predictions:
        raise UserError(f"all {summary.errors} rows failed, first {summary.first_error}")


def _records(config: GenerateConfig, tally: Tally) -> Iterator[Record]:
    if config.prompt:
        return _asked(config, tally)
    return _with_system(
        read_records(config.data, Reading(config.format, config.field), tally), config.system
    )


def _asked(config: GenerateConfig, tally: Tally) -> Iterator[Record]:
    """A record for each `--prompt`."""
    for number, text in enumerate(config.prompt, start=1):
        tally.rows_in += 1
        tally.out += 1
        messages = [{"role": "user", "content": text}]
        record = Record(id=f"prompt-{number}", messages=messages, origin=f"--prompt:{number}")
        yield from _with_system([record], config.system)


def _with_system(records: Iterable[Record], system: str | None) -> Iterator[Record]:
    """Put a system turn first where the record has none."""
    for record in records:
        if system is not None and "messages" in record:
            messages = record["messages"]
            if messages[0]["role"] != "system":
                turn = {"role": "system", "content": system}
                record = Record(record | {"messages": [turn, *messages]})
        yield record


def _window_rows(config: GenerateConfig) -> int:
    """Records a window: a function of settings alone, so that a restart cuts where it did."""
    return config.window or max(1, _WINDOW * config.batch_size // config.samples)


def _predictions(
    config: GenerateConfig,
    backend: Backend,
    records: Iterator[Record],
    summary: Summary,
    notify: Notify,
) -> Iterator[list[dict[str, Any]]]:
    """The prediction rows of each window, in input order."""
    started = time.monotonic()
    while window := list(islice(records, _window_rows(config))):
        prompts = [Prompt(record, sample) for record in window for sample in range(config.samples)]
        answers = backend.complete(prompts)
        rows = [
            prediction(prompt, answer, backend.fingerprint)
            for prompt, answer in zip(prompts, answers, strict=True)
        ]
        summary.rows += len(window)
        for row in rows:
            summary.add(row)
        speed = summary.completion_tokens / max(time.monotonic() - started, 1e-9)
        notify({"event": "rows", "done": summary.rows, "tokens_per_second": speed})
        yield rows


def _to_file(
    config: GenerateConfig,
    backend: Backend,
    records: Iterator[Record],
    summary: Summary,
    notify: Notify,
) -> None:
    settings = {k: v for k, v in lineage.plain(config).items() if k not in _NOT_COMPARED}
    settings |= {"model": backend.fingerprint}
    partial = Partial(config.output, settings, overwrite=config.overwrite)
    with partial.opened(_window_rows(config) * config.samples) as stream:
        _skip(config, partial, records, summary)
        for rows in _predictions(config, backend, records, summary, notify):
            partial.append(stream, rows)
        _check(summary)
        partial.commit()


def _skip(
    config: GenerateConfig, partial: Partial, records: Iterator[Record], summary: Summary
) -> None:
    """Pass over the records answered before; they must be the same."""
    for row in partial.rows():
        if row["sample"] == 0:
            record = next(records, None)
            if record is None or any(row.get(k) != v for k, v in record.items()):
                raise UserError(
                    "was begun with other rows",
                    where=str(partial.path),
                    hint="--overwrite begins anew",
                )
            summary.rows += 1
        summary.kept += 1
        summary.add(row)
