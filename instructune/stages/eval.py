"""eval: predictions and references -> summaries, scores a row, and the verdicts of gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from instructune import files, lineage
from instructune.configs import EvalConfig
from instructune.evaluating import codetests, conditions, gates, measuring, predictions, scoring
from instructune.evaluating.conditions import Gate
from instructune.evaluating.forgetting import Fate, forgetting
from instructune.evaluating.gates import Verdict, Written
from instructune.evaluating.inputs import check_places, read_inputs
from instructune.evaluating.junit import junit
from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Plan, Summary, fields_of, summarise
from instructune.filters import filters
from instructune.jsonl import RowWriter
from instructune.metrics import metrics
from instructune.records import Record
from instructune.reports.evaluated import Run, evaluated
from instructune.statistics.resampling import default_resamples

_SEEN = "seen"  # in training


@dataclass(frozen=True)
class Evaluation:
    """The outcome of `eval`: what was computed, what it was chosen by, and what the gates say."""

    summaries: list[Summary]
    chosen_by: str
    verdicts: list[Verdict]
    notes: list[str]
    forgetting: list[Fate] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The report; the confusion matrices stay in the summaries."""
        shown = [{k: v for k, v in s.items() if k != "details"} for s in self.summaries]
        return {
            "summaries": shown,
            "chosen_by": self.chosen_by,
            "notes": self.notes,
            "gates": [verdict.as_dict() for verdict in self.verdicts],
            "forgetting": self.forgetting,
        }


def evaluate(config: EvalConfig) -> Evaluation:
    """Score the predictions against their references and the baseline; write what was asked."""
    with codetests.allowing(config.allow_code):
        return _evaluate(config)


def _evaluate(config: EvalConfig) -> Evaluation:
    asked = _preflight(config)
    inputs = read_inputs(config.predictions, config.baseline, config.references)
    gated = [comparison.metric for gate in asked for comparison in gate.comparisons]
    needed = scoring.need_references([*config.metric, *gated])
    answers = predictions.answers(inputs.system, needed=needed)
    pairs = None
    if inputs.baseline:
        pairs = predictions.paired(inputs.system, answers, inputs.baseline)
    if config.seen:
        answers = _told_apart(config.seen, answers)
    names, chosen_by = scoring.choose(config.metric, gated, answers)
    plan = Plan(
        names=names,
        by=_slices(config),
        resamples=config.resamples or default_resamples(len(answers)),
        seed=config.seed,
        missing=_missing(answers) if config.references else {},
        cluster=config.cluster,
        adjust=config.adjust,
    )
    summaries = summarise(plan, answers, pairs)
    verdicts = [gates.judge(gate, summaries) for gate in asked]
    fates = _fates(config, names, answers, pairs) if pairs else []
    found = Evaluation(summaries, chosen_by, verdicts, inputs.notes + _told_errors(pairs), fates)
    report = _report(config, found, names, answers, pairs, inputs.hashes) if config.report else None
    _write(config, summaries, names, answers, inputs.hashes, report)
    if config.junit:
        files.write_bytes(config.junit, junit(verdicts, undecided=config.undecided))
    return found


def _preflight(config: EvalConfig) -> list[Gate]:
    """Refuse wrong names, gates and outputs before anything is read."""
    sources = [config.predictions or files.STDIO, config.references, config.baseline, config.gates]
    check_places([*sources, *config.seen], _outputs(config))
    for spec in config.metric:
        name, _, _ = metrics.configure(spec)
        if metrics.facts(name).get("RUNS_CODE"):
            codetests.refuse_unless_allowed(name)
    written = [Written(text, None, None, "--fail-if") for text in config.fail_if]
    written += gates.read_gates(config.gates) if config.gates else []
    found = [_gate(gate, config.metric) for gate in written]
    slices = [fields_of(asked) for asked in _slices(config)]
    for gate in found:
        gates.check(gate, by=slices, baseline=config.baseline is not None, adjust=config.adjust)
    return found


def _outputs(config: EvalConfig) -> tuple[str | None, ...]:
    return config.output, config.scores, config.manifest, config.junit, config.report


def _gate(written: Written, asked: Sequence[str]) -> Gate:
    """The gate over metrics as they were asked for, options and all."""
    gate = conditions.parse(written.text, metrics.names(), written.where)
    for comparison in gate.comparisons:
        metrics.configure(comparison.metric)
    named = (c._replace(metric=measuring.resolved(c.metric, asked)) for c in gate.comparisons)
    return replace(gate, comparisons=tuple(named), name=written.name, reason=written.reason)


def _slices(config: EvalConfig) -> list[str]:
    return [*config.by, *([_SEEN] if config.seen else [])]


def _told_apart(names: Sequence[str], answers: Sequence[Answer]) -> list[Answer]:
    """Each row with whether it shares a run of words with rows of these files."""
    contamination = filters["contamination"]
    touches = contamination.Filter(contamination.Options(tuple(names)))
    told = []
    for answer in answers:
        row = Record(answer.row)
        told.append(answer._replace(row=row | {_SEEN: touches(row) is not None}))
    return told


def _missing(answers: Sequence[Answer]) -> dict[str, int]:
    """By id, how many samples it has less than the id with most."""
    samples = Counter(answer.row["id"] for answer in answers)
    most = max(samples.values())
    return {name: most - count for name, count in samples.items() if count < most}


def _told_errors(pairs: Sequence[Answer] | None) -> list[str]:
    errors = sum(pair.prediction is None for pair in pairs or ())
    return [f"{errors} of {len(pairs or ())} baseline predictions are errors"] if errors else []


def _added(answer: Answer, field: str, found: dict[str, Any]) -> dict[str, Any]:
    """The field with what was found now beside what an earlier run left there."""
    earlier = answer.row.get(field)
    known = earlier if isinstance(earlier, dict) else {}
    return {field: known | found} if found else {}


def _single(by: Sequence[str]) -> list[str]:
    """The fields that are sliced by alone."""
    return [fields[0] for fields in map(fields_of, by) if len(fields) == 1]


def _fates(
    config: EvalConfig, names: Sequence[str], answers: Sequence[Answer], pairs: Sequence[Answer]
) -> list[Fate]:
    clustered = config.cluster is not None
    by = _single(config.by)
    return forgetting(names, answers, pairs, by, adjust=config.adjust, clustered=clustered)


def _report(
    config: EvalConfig,
    found: Evaluation,
    names: Sequence[str],
    answers: Sequence[Answer],
    baseline: Sequence[Answer] | None,
    inputs: dict[str, str],
) -> bytes:
    """The page, made before anything is written."""
    run = Run(
        config=config,
        names=names,
        answers=answers,
        baseline=baseline,
        summaries=found.summaries,
        verdicts=found.verdicts,
        fates=found.forgetting,
        chosen_by=found.chosen_by,
        notes=found.notes,
        inputs=inputs,
    )
    return evaluated(run)


def _write(
    config: EvalConfig,
    summaries: list[Summary],
    names: Sequence[str],
    answers: Sequence[Answer],
    inputs: dict[str, str],
    report: bytes | None,
) -> None:
    """Write summaries and scored rows, whole or not at all, each file with its manifest."""
    outputs: list[tuple[str, RowWriter, str | None]] = []
    with ExitStack() as stack:
        writer = RowWriter(stack.enter_context(files.open_output(config.output)))
        writer.write_all(summaries)
        outputs.append((config.output, writer, config.manifest))
        if config.report and report:
            stack.enter_context(files.open_output(config.report)).write(report)
        if config.scores:
            writer = RowWriter(stack.enter_context(files.open_output(config.scores)))
            told = scoring.row_details(names, answers)
            scored = zip(answers, scoring.row_scores(names, answers), told, strict=True)
            for answer, scores, details in scored:
                writer.write(
                    {**answer.row, **_added(answer, "scores", scores)}
                    | _added(answer, "details", details)
                )
            outputs.append((config.scores, writer, None))
    for name, writer, asked in outputs:
        if manifest := lineage.manifest_path(name, asked):
            lineage.write_manifest(
                manifest,
                artifact=name,
                rows=writer.rows,
                config=config,
                inputs=inputs,
                versions=lineage.versions("numpy"),
            )
