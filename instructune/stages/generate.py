"""generate: records -> prompts -> completions -> predictions, a window of rows at a time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from instructune import files, lineage
from instructune.answering.completions import (
    Backend,
    Notify,
    Prompt,
    carried,
    prediction,
    record_of,
)
from instructune.answering.partial import Partial
from instructune.answering.shots import Shots
from instructune.backends import backends
from instructune.configs import GenerateConfig
from instructune.errors import Signalled, UserError
from instructune.jsonl import RowWriter
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.stopping import Stopped

_WINDOW = 8  # batches a window

# Settings that do not change the answers. The model is compared by what it is, not by its name.
_NOT_COMPARED = frozenset({"data", "output", "overwrite", "manifest", "device", "threads"})


@dataclass
class Summary:
    """What came of the rows; `completion_tokens` counts the kept ones too."""

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

    def check(self) -> None:
        """Refuse an output without a single answer."""
        if self.errors == self.predictions:
            raise UserError(f"all {self.errors} rows failed, first {self.first_error}")


class _Speed:
    """Answers and tokens of this run, told as they come."""

    def __init__(self, notify: Notify, expected: int | None) -> None:
        self.notify, self.expected = notify, expected
        self.started, self.answers, self.tokens = time.monotonic(), 0, 0

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self.started, 1e-9)

    def tell(self, answers: int, tokens: int) -> None:
        """What the open window came to so far, on top of those that are done."""
        self.notify(
            {
                "event": "rows",
                "done": self.answers + answers,
                "of": self.expected,
                "tokens_per_second": (self.tokens + tokens) / self.seconds,
            }
        )

    def add(self, rows: list[dict[str, Any]]) -> None:
        """A window is done."""
        self.answers += len(rows)
        self.tokens += sum(row["usage"]["completion_tokens"] for row in rows)


def generate(config: GenerateConfig, notify: Notify) -> dict[str, Any]:
    """Answer every record; returns the report. Killed and started again, it goes on."""
    _check_places(config)
    backend = backends[config.backend].connect(config, notify)
    tally, summary = Tally(), Summary()
    records = _records(config, tally)
    shots = _shots(config, tally)
    speed = _Speed(notify, len(config.prompt) * config.samples or None)
    if _grows(config.output):
        with _partial(config, backend, shots, summary) as partial:
            _skip(partial, records, summary)
            for rows in _predictions(config, backend, records, shots, summary, speed):
                partial.append(rows)
            if summary.errors == summary.predictions:
                partial.remove()
            summary.check()
            partial.commit()
            _write_manifest(config, backend, tally, summary)
            partial.remove()
    else:
        with files.open_output(config.output) as out:
            writer = RowWriter(out)
            for rows in _predictions(config, backend, records, shots, summary, speed):
                writer.write_all(rows)
            summary.check()
        _write_manifest(config, backend, tally, summary)
    return asdict(summary) | {
        "rows_in": tally.rows_in,
        "seconds": round(speed.seconds, 3),
        "tokens_per_second": round(speed.tokens / speed.seconds, 1),
    }


def _check_places(config: GenerateConfig) -> None:
    outputs = [name for name in (config.output, config.manifest) if name]
    files.check_outputs(outputs)
    for name in outputs:
        files.check_creatable(name)
        files.check_distinct(config.data, name)


def _grows(output: str) -> bool:
    """Whether the output is a file; a pipe or a device has no `.partial` beside it."""
    return output != files.STDIO and (Path(output).is_file() or not Path(output).exists())


def _write_manifest(
    config: GenerateConfig, backend: Backend, tally: Tally, summary: Summary
) -> None:
    if manifest := lineage.manifest_path(config.output, config.manifest):
        lineage.write_manifest(
            manifest,
            artifact=config.output,
            rows=summary.predictions,
            config=config,
            inputs=tally.inputs,
            **backend.settings(),
        )


@contextmanager
def _partial(
    config: GenerateConfig, backend: Backend, shots: Shots | None, summary: Summary
) -> Iterator[Partial]:
    """The rows made so far; a signal ends with words about how to go on."""
    settings = {k: v for k, v in lineage.plain(config).items() if k not in _NOT_COMPARED}
    settings |= backend.settings() | ({"examples": shots.fingerprint} if shots else {})
    partial = Partial(config.output, settings, overwrite=config.overwrite)
    try:
        with partial.opened(_window_rows(config) * config.samples):
            yield partial
    except (KeyboardInterrupt, Signalled) as stop:
        kept = f"{partial.name}: {summary.predictions} predictions are kept"
        told = f"{kept}; the same command goes on from there" if summary.predictions else "stopped"
        raise Stopped(getattr(stop, "number", signal.SIGINT), told) from None


def _skip(partial: Partial, records: Iterator[Record], summary: Summary) -> None:
    """Pass over the records answered before; they must be the same."""
    for row in partial.rows():
        if row.get("sample") == 0:
            record = next(records, None)
            if record is None or carried(record) != record_of(row):
                raise UserError(
                    "was begun with other rows",
                    where=partial.name,
                    hint="--overwrite begins anew",
                )
            summary.rows += 1
        summary.kept += 1
        summary.add(row)


def _window_rows(config: GenerateConfig) -> int:
    """Records a window: a function of settings alone, so that a restart cuts where it did."""
    return config.window or max(1, _WINDOW * config.batch_size // config.samples)


def _predictions(
    config: GenerateConfig,
    backend: Backend,
    records: Iterator[Record],
    shots: Shots | None,
    summary: Summary,
    speed: _Speed,
) -> Iterator[list[dict[str, Any]]]:
    """The prediction rows of each window, in input order."""
    while window := list(islice(records, _window_rows(config))):
        prompts = [Prompt(record, sample) for record in window for sample in range(config.samples)]
        asked = prompts
        if shots:
            shown = {record["id"]: shots.before(record) for record in window}
            asked = [Prompt(shown[record["id"]], sample) for record, sample in prompts]
        answers = backend.complete(asked, speed.tell)
        rows = [
            prediction(prompt, answer, backend.fingerprint)
            for prompt, answer in zip(prompts, answers, strict=True)
        ]
        speed.add(rows)
        yield rows
        summary.rows += len(window)
        for row in rows:
            summary.add(row)


def _records(config: GenerateConfig, tally: Tally) -> Iterator[Record]:
    if config.prompt:
        found = _asked(config.prompt, tally)
    else:
        found = read_records(config.data, Reading(config.format, config.field), tally)
    return _with_system(found, config.system)


def _shots(config: GenerateConfig, tally: Tally) -> Shots | None:
    """The examples to be shown; their file is an input as well."""
    if config.examples is None:
        return None
    own = Tally()
    found = read_records([config.examples], Reading(config.format, config.field), own)
    shots = Shots(found, config.shots, config.shots_by, config.seed)
    tally.inputs.update(own.inputs)
    return shots


def _asked(prompts: tuple[str, ...], tally: Tally) -> Iterator[Record]:
    """A record for each `--prompt`."""
    for number, text in enumerate(prompts, start=1):
        tally.rows_in += 1
        tally.out += 1
        messages = [{"role": "user", "content": text}]
        yield Record(id=f"prompt-{number}", messages=messages, origin=f"--prompt:{number}")


def _with_system(records: Iterable[Record], system: str | None) -> Iterator[Record]:
    """Put a system turn first where a chat has none."""
    for record in records:
        if system is not None and "messages" in record:
            messages = record["messages"]
            if messages[0]["role"] != "system":
                turn = {"role": "system", "content": system}
                record = Record(record | {"messages": [turn, *messages]})
        yield record
