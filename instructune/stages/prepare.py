"""prepare: raw rows -> records -> transforms -> filters -> sides, each row accounted for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from instructune import files, lineage
from instructune.configs import PrepareConfig
from instructune.errors import UserError, usage
from instructune.jsonl import BadRow, Encoded, RowWriter
from instructune.preparing import mixing, splits
from instructune.preparing.agreement import Agreement
from instructune.preparing.clusters import Clusters
from instructune.preparing.gathering import Plan, by_rows, by_words, gather
from instructune.preparing.instructions import Instructions
from instructune.preparing.profile import Profile
from instructune.preparing.splits import Splitter
from instructune.preparing.tokencounts import token_counter, token_size
from instructune.reading import workers
from instructune.reading.paths import expanded
from instructune.reading.rowwork import Outcome
from instructune.reading.sources import Reading, read_outcomes
from instructune.reading.spool import Spool, decoded
from instructune.reading.steps import Change, Gleaner, Steps
from instructune.reading.tally import Tally
from instructune.records import Record
from instructune.registry import spelled
from instructune.reports.prepared import prepared

_SIDE = "{split}"
Write = Callable[[dict[str, Any]], None]


class Prepared(NamedTuple):
    """Where each row went, rows by file, what became of the records that were asked about, and
    what was noticed: agreement of annotators, clusters of duplicates, what a mix
    is made of.
    """

    tally: Tally
    rows: dict[str, int]
    explained: dict[str, list[Change]]
    noticed: dict[str, Any]


def prepare(config: PrepareConfig) -> Prepared:
    """Convert, change and check every row of the sources; write records; account for each row."""
    shares = splits.shares(config.split) if config.split else {}
    typed = {file: name for name in config.sources for file in expanded([name])}
    _check_places(config, shares, list(typed))
    steps = Steps(_transforms(config), _filters(config))
    templates = [Instructions(spec, config.seed) for spec in config.template]
    plan = _plan(config, steps, shares, typed)
    tally, explained = Tally(), dict[str, list[Change]]()
    agreement, clusters = Agreement(), Clusters()
    mix: list[dict[str, Any]] = []
    with ExitStack() as stack:
        reject = _writer(stack, config.rejects) or (lambda bad: None)
        drop = clusters.watching(_writer(stack, config.dropped))
        gleaners = plan.gleaners() if plan or templates else []
        outcomes = _read(config, steps, gleaners, tally, lambda bad: reject(bad._asdict()))
        outcomes = _noted(outcomes, agreement, drop, explained, set(config.explain))
        rows: Iterable[Any] = (row for outcome in outcomes for row in outcome.made)
        if plan or templates:
            found = gather(outcomes, stack.enter_context(Spool()), plan)
            mix = found.mix
            for record in found.dropped(tally):
                drop(record)
            rows = found.instructed(templates, tally) if templates else iter(found)
            shares = shares or dict.fromkeys(sorted(set(found.sides.values())), 0.0)
        if config.report:
            profile = Profile(token_counter(config.model) if config.model else None)
            report = stack.enter_context(files.open_output(config.report))
            rows = profile.passing(decoded(rows))
        names = {}
        if _SIDE in config.output:
            names = {side: config.output.replace(_SIDE, side) for side in shares}
            if not names:
                raise UserError("no row is left, so there is no side", where=config.output)
            if not config.split:  # the rows' own sides, which nobody knew before
                _check_places(config, shares, list(typed))
        written = _write(rows, config.output, names, stack)
        tally.check()
        noticed = {"agreement": agreement.facts()} if agreement else {}
        noticed |= {"duplicate_clusters": clusters.facts()} if clusters else {}
        noticed |= {"mix": {"by": config.mix_by, "sources": mix}} if mix else {}
        if config.report:
            report.write(prepared(tally.as_dict() | noticed, profile.facts()))
    _write_manifests(config, tally, written)
    return Prepared(tally, written, explained, noticed)


def _read(
    config: PrepareConfig,
    steps: Steps,
    gleaners: Sequence[Gleaner],
    tally: Tally,
    reject: Callable[[BadRow], None],
) -> Iterator[Outcome]:
    reading = Reading(
        config.format, config.field, config.id, config.bad_rows, config.container, config.encoding
    )
    return read_outcomes(
        config.sources,
        reading,
        tally,
        steps,
        explain=config.explain,
        gleaners=gleaners,
        reject=reject,
        processes=config.workers or workers.count(),
    )


def _noted(
    outcomes: Iterable[Outcome],
    agreement: Agreement,
    drop: Write,
    explained: dict[str, list[Change]],
    asked: set[str],
) -> Iterator[Outcome]:
    """The outcomes; what was dropped, and how what was asked for changed, is set aside."""
    for outcome in outcomes:
        for name, given in outcome.annotated:
            agreement.add(name, given)
        for record in outcome.dropped:
            drop(record)
        explained |= outcome.explained
        yield outcome
    if missing := asked - explained.keys():
        raise UserError(f"no record has the id {min(missing)!r}", where="--explain")


def _plan(
    config: PrepareConfig, steps: Steps, shares: dict[str, float], typed: dict[str, str]
) -> Plan:
    """What can be decided only when every record was seen."""
    return Plan(
        filters=list(steps.whole.values()),
        splitter=Splitter(shares, seed=config.seed, exact=config.exact) if shares else None,
        by_own_split=_SIDE in config.output,
        shares=mixing.weights(config.mix, config.sources) if config.mix else {},
        size=_size(config),
        total=config.mix_total,
        balance=config.balance,
        typed=typed,
        seed=config.seed,
    )


def _size(config: PrepareConfig) -> Callable[[Record], int]:
    """What a row counts in a mix."""
    if config.mix_by == "tokens":
        return token_size(str(config.model))
    return by_words if config.mix_by == "words" else by_rows


def _filters(config: PrepareConfig) -> list[str]:
    """The filters named, and those that `--accept` and `--against` ask for."""
    found = list(config.filter)
    if config.accept:
        known = {"against": config.known} if config.known else {}
        found = ["accepted", spelled("novel", known), *found]
    if config.against:
        found.append(spelled("contamination", {"against": config.against}))
    return found


def _transforms(config: PrepareConfig) -> list[str]:
    """The transforms named, behind what `--ask` or `--accept` makes of each row."""
    if config.accept:
        return ["accept", *config.transform]
    if config.ask is None:
        return list(config.transform)
    pool: dict[str, Any] = {}
    if config.ask != "paraphrase":
        if files.STDIO in config.sources:
            raise usage("needs files: their instructions are shown", where=f"--ask {config.ask}")
        pool = {"pool": tuple(config.sources), "seed": config.seed}
    return [*config.transform, spelled("ask", {"kind": config.ask, **pool})]


def _writer(stack: ExitStack, name: str | None) -> Write | None:
    return RowWriter(stack.enter_context(files.open_output(name))).write if name else None


def _write(
    records: Iterable[Record | Encoded], output: str, names: dict[str, str], stack: ExitStack
) -> dict[str, int]:
    """Write each record to its side's file, or all to one; rows by file."""
    with ExitStack() as outputs:
        writers = {
            name: RowWriter(outputs.enter_context(files.open_output(name)))
            for name in names.values() or [output]
        }
        if names:
            for record in decoded(records):
                writers[names[record["split"]]].write(record)
        else:
            writers[output].write_all(records)
        stack.push(outputs.pop_all())
    return {name: writer.rows for name, writer in writers.items()}


def _write_manifests(config: PrepareConfig, tally: Tally, written: dict[str, int]) -> None:
    """A manifest beside each file, last of all; files of one split name their set."""
    more: dict[str, object] = {"counts": tally.as_dict()}
    if _SIDE in config.output:
        more["artifact_set"] = lineage.fingerprint([lineage.plain(config), tally.inputs, written])
    for name, rows in written.items():
        if manifest := lineage.manifest_path(name, config.manifest):
            lineage.write_manifest(
                manifest, artifact=name, rows=rows, config=config, inputs=tally.inputs, **more
            )


def _check_places(config: PrepareConfig, shares: dict[str, float], sources: list[str]) -> None:
    """Refuse outputs that cannot be made, or would overwrite a source or one another."""
    outputs = [config.output]
    if _SIDE in config.output:
        outputs = [config.output.replace(_SIDE, side) for side in shares]
    asked = outputs + [
        n for n in (config.rejects, config.dropped, config.report, config.manifest) if n
    ]
    implied = [] if config.manifest else [f"{name}{lineage.SUFFIX}" for name in outputs]
    files.check_outputs(asked + implied)
    for name in asked:
        files.check_creatable(name)
    for name in asked + implied:
        files.check_distinct([*sources, *config.against, *config.known], name)
