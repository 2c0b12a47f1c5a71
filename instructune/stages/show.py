"""show: any artifact -> what a person wants to see of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from instructune import files, rundir
from instructune.attribution.explanations import is_explanation
from instructune.configs import ShowConfig
from instructune.containers import containers
from instructune.errors import UserError, usage
from instructune.evaluating import comparing
from instructune.evaluating.comparing import Comparison
from instructune.fetching.modelfiles import resolve
from instructune.jsonl import BadRow, Row
from instructune.preparing.agreement import Agreement
from instructune.preparing.profile import Profile
from instructune.preparing.tokencounts import token_counter
from instructune.reading.sources import Reading, read_records
from instructune.reading.tally import Tally
from instructune.reports.explained import explained
from instructune.rundir import RunDir
from instructune.tokenizer import Tokenizer
from instructune.tokens import Encoding


class RunView(NamedTuple):
    """A run: its document, what it is doing, and the losses by step of training and evaluation."""

    document: dict[str, Any]
    state: str
    losses: list[tuple[int, float]]
    eval_losses: list[tuple[int, float]]


class RowsView(NamedTuple):
    """The first rows of a file, each with its place."""

    rows: list[tuple[str, dict[str, Any]]]


class DocumentView(NamedTuple):
    """A file that is one JSON value, such as a manifest."""

    document: Any


class ProfileView(NamedTuple):
    """What a file's records are, and how far annotators agree on them where there are some."""

    profile: dict[str, Any]
    agreement: dict[str, Any] | None


class AgreementView(NamedTuple):
    """How far annotators agree, with the first rows on which they do not."""

    agreement: dict[str, Any]


class MaskView(NamedTuple):
    """For each sequence: its place, and its tokens with whether they are learned."""

    sequences: list[tuple[str, list[tuple[str, bool]]]]


class PageView(NamedTuple):
    """A page that was written, and how many predictions it explains."""

    page: str
    explained: int


View = (
    RunView
    | RowsView
    | DocumentView
    | MaskView
    | Comparison
    | ProfileView
    | AgreementView
    | PageView
)


def show(config: ShowConfig) -> View:
    """Open a run directory or a file; with `mask`, the rows as `train` sees them."""
    if config.path != files.STDIO and Path(config.path).is_dir():
        if asked := config.view or ("--html" if config.html is not None else None):
            raise usage("needs a file of rows", where=asked)
        return _run(config.path)
    if config.profile:
        return _profile(config)
    if config.disagreements:
        return _disagreements(config)
    if config.mask:
        return _mask(config)
    if config.baseline is not None:
        return comparing.compare(config.path, config.baseline, config.limit)
    if config.html is not None:
        return _explained(config, config.html)
    return _file(config)


def _run(path: str) -> RunView:
    run, document = rundir.open_run(path)
    # of a run that was killed, the last event may be cut
    events = [event for event in run.events() if isinstance(event.get("step"), int)]
    losses = [(e["step"], e["loss"]) for e in events if e.get("event") == "step" and "loss" in e]
    held_out = [(e["step"], e["eval_loss"]) for e in events if "eval_loss" in e]
    return RunView(document, _state(run, document), losses, held_out)


def _state(run: RunDir, document: dict[str, Any]) -> str:
    """As run.json has it; where it says running and nobody holds the run, it was killed."""
    state = str(document.get("state", "unknown"))
    return "interrupted" if state == "running" and not _is_held(run) else state


def _is_held(run: RunDir) -> bool:
    try:
        descriptor = os.open(run.path / rundir.LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _profile(config: ShowConfig) -> ProfileView:
    profile = Profile(token_counter(config.model) if config.model else None)
    agreement = Agreement(config.limit)
    for record in agreement.passing(read_records([config.path], Reading(), Tally())):
        profile.see(record)
    return ProfileView(profile.facts(), agreement.facts() if agreement else None)


def _disagreements(config: ShowConfig) -> AgreementView:
    agreement = Agreement(config.limit)
    for record in read_records([config.path], Reading(), Tally()):
        agreement.see(record)
    if not agreement:
        hint = "--profile shows what they are"
        raise UserError("no row has annotations", where=files.shown(config.path), hint=hint)
    return AgreementView(agreement.facts())


def _explained(config: ShowConfig, page: str) -> PageView:
    """The first predictions with an explanation, as a page."""
    files.check_outputs([page])
    files.check_creatable(page)
    files.check_distinct([config.path], page)
    name = files.shown(config.path)
    with files.open_input(config.path) as source:
        rows = (row for _, row in _good(containers["jsonl"].read(source.stream, name)))
        found = (row for row in rows if is_explanation(row.get("explanation")))
        shown = list(islice(found, config.limit))
    if not shown:
        hint = "generate --explain integrated writes them"
        raise UserError("no row has an explanation", where=name, hint=hint)
    with files.open_output(page) as out:
        out.write(explained(name, shown))
    return PageView(page, len(shown))


def _file(config: ShowConfig) -> RowsView | DocumentView:
    """The first rows of JSON lines or of an array, or the one object of a document."""
    with files.open_input(config.path) as source:
        head = source.stream.peek(4096)[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")  # type: ignore
        is_document = head.partition(b"\n")[0].rstrip() == b"{"  # no JSON line ends so soon
        reader = containers["json" if is_document or head[:1] == b"[" else "jsonl"]
        rows = islice(_good(reader.read(source.stream, files.shown(config.path))), config.limit)
        if is_document:
            return DocumentView(next(rows)[1])
        return RowsView(list(rows))


def _good(rows: Iterable[Row | BadRow | None]) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in rows:
        if isinstance(row, BadRow):
            raise UserError(row.reason, where=row.where)
        if row is not None:
            yield row.where, row.value


def _mask(config: ShowConfig) -> MaskView:
    """The very code that trains decides what is learned."""
    model = resolve(str(config.model))
    tokenizer = Tokenizer(model.tokenizer, config.template)
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
