"""The records of a training, encoded: what is learned, what is measured, and old rows for both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from instructune import files
from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError, usage
from instructune.jsonl import BadRow, RowWriter, dumps
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.rundir import RunDir
from instructune.training.batches import TokenData
from instructune.training.goals import Objective
from instructune.training.replaying import Replay, replays, reservoir, with_old


@dataclass(frozen=True)
class Part:
    """Rows of one kind, and what became of the records that they are from."""

    data: TokenData
    counts: dict[str, Any]
    dropped: list[str]
    stops: set[int]
    fingerprint: str


class Reader:
    """Reads the files that a training's settings name, each as the objective encodes it.

    `vocabulary` is how many embeddings the model has, where its config tells.
    """

    def __init__(
        self,
        config: TrainConfig,
        run: RunDir,
        objective: Objective,
        vocabulary: object,
        note: Callable[[str], None],
    ) -> None:
        self.config, self.run, self.objective = config, run, objective
        self.vocabulary, self.note = vocabulary, note
        self.reading = Reading(config.format, config.field)

    def training(self, stack: ExitStack) -> Part:
        """What is to be learned, old rows among it; files written on the way close with `stack`."""
        tally, told = Tally(), dict[str, Any]()

        def replayed(replay: Replay, counts: dict[str, Any]) -> None:
            told[replay.file] = counts
            if counts["rows"] < counts["wanted"]:
                self.note(f"{replay.file}: only {counts['rows']} rows, {counts['wanted']} wanted")

        records, wanted = self._records(tally, stack), replays(self.config.replay)
        if wanted:
            seed = self.config.seed
            records = with_old(records, wanted, self.reading, seed, replayed)
        part = self._part(records, tally, ", ".join(self._sources()), learns=True)
        if told:
            part.counts["replay"] = told
        return part

    def other(self, file: str, rows: int | None = None) -> Part:
        """What is not learned from: a whole file, or so many of its rows, drawn."""
        tally = Tally()
        records: Iterable[Record] = read_records([file], self.reading, tally)
        if rows is not None:
            records = reservoir(records, rows, self.config.seed)
        return self._part(records, tally, file, learns=False)

    def _sources(self) -> tuple[str, ...]:
        if self.config.data:
            return self.config.data
        if self.run.data_path.is_file():
            return (str(self.run.data_path),)
        raise usage("no input", hint="name a file of records, or pipe them in")

    def _records(self, tally: Tally, stack: ExitStack) -> Iterator[Record]:
        """The new ones; those from a pipe are kept in the run, so it can be resumed alone."""
        config, sources = self.config, self._sources()
        if not config.data:  # kept before, so the settings for raw rows are behind them
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
            kept = RowWriter(stack.enter_context(files.open_output(str(self.run.data_path))))
            return _kept(records, kept)
        return records

    def _part(self, records: Iterable[Record], tally: Tally, where: str, *, learns: bool) -> Part:
        encoding, objective = self.objective.encoding(learns=learns), self.objective
        digest = hashlib.sha256()

        def hashed() -> Iterator[Record]:
            """The records as they are; their content is what counts, not where they came from."""
            for record in records:
                digest.update(dumps({k: v for k, v in record.items() if k != "origin"}))
                yield record

        rows = encoding.sequences(hashed())
        data = TokenData(rows, objective.collate, whole=objective.whole)
        if not len(data):
            raise UserError("no row is left to learn", where=where, hint="see --overflow")
        tally.check()
        self._check_vocabulary(data)
        counts = tally.as_dict() | {"encoding": {k: n for k, n in encoding.counts.items() if n}}
        fingerprint = digest.hexdigest()[:16]
        return Part(data, counts, encoding.dropped, encoding.stops, fingerprint)

    def _check_vocabulary(self, data: TokenData) -> None:
        size, largest = self.vocabulary, int(data.ids.max())
        if isinstance(size, int) and largest >= size:
            raise UserError(
                f"its tokenizer gives the id {largest}, but the model has only {size} embeddings",
                where=self.config.init_from or self.config.model,
                code=Exit.MISMATCH,
            )


def _kept(records: Iterable[Record], writer: RowWriter) -> Iterator[Record]:
    for record in records:
        writer.write(record)
        yield record
