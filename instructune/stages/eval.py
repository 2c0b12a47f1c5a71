"""eval: predictions and references -> summaries, scores a row, and the verdicts of gates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

from instructune import codetests, files, gates, lineage, measuring, predictions, scoring
from instructune.configs import EvalConfig
from instructune.errors import usage
from instructune.gates import Gate, Verdict
from instructune.jsonl import RowWriter
from instructune.metrics import metrics
from instructune.predictions import Answer, Predictions
from instructune.scoring import Summary
from instructune.statistics import default_resamples


@dataclass(frozen=True)
class Evaluation:
    """The outcome of `eval`: what was computed, what it was chosen by, and what the gates say."""

    summaries: list[Summary]
    chosen_by: str
    verdicts: list[Verdict]
    notes: list[str]

    def as_dict(self) -> dict[str, Any]:
        """The report; the confusion matrices stay in the summaries."""
        shown = [{k: v for k, v in s.items() if k != "details"} for s in self.summaries]
        return {
            "summaries": shown,
            "chosen_by": self.chosen_by,
            "notes": self.notes,
            "gates": [
                {"gate": v.gate.text, "numbers": list(v.numbers), "fired": v.fired}
                for v in self.verdicts
            ],
        }


def evaluate(config: EvalConfig) -> Evaluation:
    """Score the predictions against their references and the baseline; write what was asked."""
    with codetests.allowing(config.allow_code):
        return _evaluate(config)


def _evaluate(config: EvalConfig) -> Evaluation:
    conditions = _preflight(config)
    inputs = _read(config)
    gated = [comparison.metric for gate in conditions for comparison in gate.comparisons]
    needed = scoring.need_references([*config.metric, *gated])
    answers = predictions.answers(inputs.system, needed=needed)
    pairs = None
    if inputs.baseline:
        pairs = predictions.paired(inputs.system, answers, inputs.baseline)
    names, chosen_by = scoring.choose(config.metric, gated, answers)
    plan = scoring.Plan(
        names,
        config.by,
        config.resamples or default_resamples(len(answers)),
        config.seed,
        _missing(answers) if config.references else {},
    )
    summaries = scoring.summarise(plan, answers, pairs)
    verdicts = [gates.judge(gate, summaries) for gate in conditions]
    _write(config, summaries, names, answers, inputs.hashes)
    return Evaluation(summaries, chosen_by, verdicts, inputs.notes + _told_errors(pairs))


def _preflight(config: EvalConfig) -> list[Gate]:
    """Refuse wrong names, gates and outputs before anything is read."""
    sources = [config.predictions or files.STDIO, config.references, config.baseline]
    named = [name for name in sources if name]
    if named.count(files.STDIO) > 1:
        raise usage("standard input can serve only one of predictions, references and baseline")
    outputs = [name for name in (config.output, config.scores, config.manifest) if name]
    files.check_outputs(outputs)
    for output in outputs:
        files.check_creatable(output)
        files.check_distinct(named, output)
    for spec in config.metric:
        name, _, _ = metrics.configure(spec)
        if metrics.facts(name).get("RUNS_CODE"):
            codetests.refuse_unless_allowed(name)
    conditions = [_condition(text, config.metric) for text in config.fail_if]
    for gate in conditions:
        gates.check(gate, by=config.by, baseline=config.baseline is not None)
    return conditions


def _condition(text: str, asked: Sequence[str]) -> Gate:
    """The gate over metrics as they were asked for, options and all."""
    gate = gates.parse(text, metrics.names())
    for comparison in gate.comparisons:
        metrics.configure(comparison.metric)
    named = (c._replace(metric=measuring.resolved(c.metric, asked)) for c in gate.comparisons)
    return replace(gate, comparisons=tuple(named))


@dataclass(frozen=True)
class _Inputs:
    system: Predictions
    baseline: Predictions | None
    hashes: dict[str, str]
    notes: list[str]


def _read(config: EvalConfig) -> _Inputs:
    """The predictions and the baseline, each joined with the references where there are any."""
    system = predictions.read_predictions(config.predictions or files.STDIO)
    baseline = predictions.read_predictions(config.baseline) if config.baseline else None
    hashes = {part.name: part.sha256 for part in (system, baseline) if part}
    notes = []
    if config.references:
        records, tally = predictions.read_references(config.references)
        hashes |= tally.inputs
        notes = [
            f"{config.references}: {count} rows read as {name}"
            for name, count in tally.formats.items()
            if name != "record"
        ]
        system = predictions.join_references(system, config.references, records)
        if baseline:
            baseline = predictions.join_references(baseline, config.references, records)
    return _Inputs(system, baseline, hashes, notes)


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


def _write(
    config: EvalConfig,
    summaries: list[Summary],
    names: Sequence[str],
    answers: Sequence[Answer],
    inputs: dict[str, str],
) -> None:
    """Write summaries and scored rows, whole or not at all, each file with its manifest."""
    outputs: list[tuple[str, RowWriter, str | None]] = []
    with ExitStack() as stack:
        writer = RowWriter(stack.enter_context(files.open_output(config.output)))
        writer.write_all(summaries)
        outputs.append((config.output, writer, config.manifest))
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
