"""show: any artifact -> what a person wants to see of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from instructune import files, rundir
from instructune.configs import ShowConfig
from instructune.errors import UserError, usage
from instructune.jsonl import BadRow, read_rows
from instructune.modelfiles import resolve
from instructune.sources import Reading, Tally, read_records
from instructune.tokenizer import Tokenizer
from instructune.tokens import Encoding


class RunView(NamedTuple):
    """A run: its document, and the losses of its steps and evaluations by step."""

    document: dict[str, Any]
    losses: list[tuple[int, float]]
    eval_losses: list[tuple[int, float]]


class RowsView(NamedTuple):
    """The first rows of a file."""

    rows: list[tuple[str, dict[str, Any]]]


class MaskView(NamedTuple):
    """For each sequence: its place, and its tokens with whether they are learned."""

    sequences: list[tuple[str, list[tuple[str, bool]]]]


def show(config: ShowConfig) -> RunView | RowsView | MaskView:
    """Open a run directory or a file of rows; with `mask`, the rows as `train` sees them."""
    if config.path != files.STDIO and Path(config.path).is_dir():
        if config.mask:
            raise usage("needs a file of records", where="--mask")
        return _run(config.path)
    return _mask(config) if config.mask else RowsView(list(islice(_rows(config), config.limit)))


def _run(path: str) -> RunView:
    run, document = rundir.open_run(path)
    events = run.events()
    losses = [(e["step"], e["loss"]) for e in events if e["event"] == "step"]
    held_out = [(e["step"], e["eval_loss"]) for e in events if e["event"] == "eval"]
    return RunView(document, losses, held_out)


def _rows(config: ShowConfig) -> Iterator[tuple[str, dict[str, Any]]]:
    with files.open_input(config.path) as source:
        for row in read_rows(source.stream, config.path):
            if isinstance(row, BadRow):
                raise UserError(row.reason, where=row.where)
            if row is not None:
                yield row


def _mask(config: ShowConfig) -> MaskView:
    """The very code that trains decides what is learned."""
    if config.model is None:
        raise usage("needs --model", where="--mask")
    model = resolve(config.model)
    tokenizer = Tokenizer(model.adapter or model.folder, config.template)
    encoding = Encoding(tokenizer, config.train_on, config.max_length, config.overflow)
    records = islice(read_records([config.path], Reading(), Tally()), config.limit)
    return MaskView(
        [
            (
                sequence.where,
                [
                    (tokenizer.token(i), weight > 0)
                    for i, weight in zip(sequence.ids, sequence.weights, strict=True)
                ],
            )
            for sequence in encoding.sequences(records)
        ]
    )
