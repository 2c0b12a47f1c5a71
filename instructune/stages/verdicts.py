"""eval --judge FILE: verdicts, beside the predictions or alone -> win rates, scores, ratings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from instructune import files, lineage
from instructune.configs import EvalConfig
from instructune.errors import UserError, did_you_mean, usage
from instructune.evaluating import conditions, gates
from instructune.evaluating.conditions import PAIRED, Comparison, Gate
from instructune.evaluating.gates import Written
from instructune.evaluating.junit import junit
from instructune.jsonl import RowWriter, dumps
from instructune.judges import winning
from instructune.judges.verdicts import Judgement, Verdicts, read_verdicts
from instructune.judges.winning import Plan, Summary
from instructune.stages.eval import Evaluation
from instructune.stages.judge import Material, check_config, read_material


def evaluate_verdicts(config: EvalConfig) -> Evaluation:
    """Summarise what people and judges found; write it and ask the gates."""
    material, hashes = None, dict[str, str]()
    if config.predictions:
        material = read_material(config)
        hashes |= material.hashes
    else:
        _check_alone(config)
    found = read_verdicts(config.judge)
    if material:
        found.judgements = [_matched(judgement, material) for judgement in found.judgements]
    expected = len(material.pairs) if material else None
    plan = Plan(config.resamples, config.seed, _recipe(found), expected)
    summaries = _summaries(found, plan, material, config.by)
    verdicts = [gates.judge(gate, summaries) for gate in _gates(config, summaries)]
    _write(config, summaries, hashes | found.hashes)
    if config.junit:
        files.write_bytes(config.junit, junit(verdicts, undecided=config.undecided))
    return Evaluation(summaries, "--judge", verdicts, _notes(found, material))


def _check_alone(config: EvalConfig) -> None:
    for flag, given in (
        ("--baseline", config.baseline),
        ("--references", config.references),
        ("--by", config.by),
    ):
        if given:
            raise usage("needs the predictions as well", where=flag)
    check_config(config)


def _matched(judgement: Judgement, material: Material) -> Judgement:
    """The judgement under today's names; it must be about these very answers."""
    pair = material.by_key.get(judgement.key)
    if pair is None or judgement.answers not in (None, pair.fingerprint):
        what = "is in none of the predictions" if pair is None else "was judged on other answers"
        raise UserError(
            f"id {judgement.id!r} sample {judgement.sample} {what}",
            where=judgement.where,
            hint="name the files that were judged, in the same order; ratings need none",
        )
    if len(judgement.systems) != len(material.systems) and not judgement.role:
        raise UserError("compares two systems; name the other with --baseline", where="--judge")
    return judgement._replace(systems=material.systems)


def _recipe(found: Verdicts) -> str:
    """Who judged, and the wording of what they were asked."""
    parts = [f"judges:{'+'.join(sorted(found.models))}"] if found.models else []
    parts += [f"prompt:{'+'.join(sorted(found.wordings))}"] if found.wordings else []
    return "|".join(parts) or "judges:people"


def _summaries(
    found: Verdicts, plan: Plan, material: Material | None, by: Sequence[str]
) -> list[Summary]:
    """Of all verdicts, then by rater, by pair of systems and by the fields asked for."""
    if found.criteria:
        names = list(found.criteria)

        def told(part: list[Judgement], slice_: Summary | None, plan: Plan) -> list[Summary]:
            return winning.score_means(part, plan, slice_, names)
    else:

        def told(part: list[Judgement], slice_: Summary | None, plan: Plan) -> list[Summary]:
            return winning.win_rates(part, plan, slice_)

    systems = sorted({judgement.systems for judgement in found.judgements})
    if len(systems) > 1:
        return _of_many(found, plan, systems)
    summaries = told(found.judgements, None, plan)
    summaries[0]["details"] = summaries[0].get("details", {}) | _details(found)
    slices = [*_by_rater(found), *_by_fields(found, material, by)]
    for slice_, part, expected in slices:
        summaries += told(part, slice_, replace(plan, expected=expected or plan.expected))
    return summaries


def _of_many(found: Verdicts, plan: Plan, systems: Sequence[tuple[str, ...]]) -> list[Summary]:
    """Ratings over all systems, then the win rate of each pair that was compared."""
    if found.criteria:
        names = "; ".join(" with ".join(pair) for pair in systems)
        raise UserError(f"scores of several systems are given ({names}): one eval for each")
    summaries = winning.rating_rows(found.judgements, plan)
    summaries[0]["details"] = _details(found)
    for pair in systems:
        part = [judgement for judgement in found.judgements if judgement.systems == pair]
        by = dict(zip(("system", "baseline"), pair, strict=True))
        summaries += winning.win_rates(part, plan, by)
    return summaries


Slice = tuple[Summary, list[Judgement], int | None]


def _by_rater(found: Verdicts) -> Iterator[Slice]:
    for rater in found.raters if len(found.raters) > 1 else ():
        yield {"rater": rater}, [j for j in found.judgements if j.rater == rater], None


def _by_fields(
    found: Verdicts, material: Material | None, fields: Sequence[str]
) -> Iterator[Slice]:
    for field in dict.fromkeys(fields):
        assert material
        rows = material.rows
        if not any(field in row for row in rows.values()):
            known = {name for row in rows.values() for name in row}
            hint = did_you_mean(field, known)
            raise usage(f"no row has the field {field!r}", where="--by", hint=hint)
        members: dict[bytes, list[Any]] = {}
        for key, row in rows.items():
            members.setdefault(dumps(row.get(field)), []).append(key)
        for _, keys in sorted(members.items()):
            among = set(keys)
            part = [j for j in found.judgements if j.key in among]
            yield {field: rows[keys[0]].get(field)}, part, len(keys)


def _details(found: Verdicts) -> dict[str, Any]:
    """What each rater did, and how far they agree."""
    told: dict[str, Any] = {}
    for rater in found.raters:
        mine = [j for j in found.judgements if j.rater == rater]
        told[rater] = {
            "judged": sum(j.choice is not None or j.scores is not None for j in mine),
            "by_rule": sum(j.rule is not None for j in mine),
            "unusable": dict(found.unusable.get(rater, {})),
        }
    agreed = winning.agreements(found)
    return {"raters": told} | ({"agreement": agreed} if agreed else {})


def _still_open(found: Verdicts, material: Material | None) -> list[str]:
    """How many pairs that need a judge have none."""
    if material is None or found.criteria:
        return []
    needed = {pair.key for pair in material.pairs if not pair.settled}
    missing = needed - {j.key for j in found.judgements if j.choice is not None}
    return [f"{len(missing)} of {len(needed)} pairs are still to be judged"] if missing else []


def _notes(found: Verdicts, material: Material | None) -> list[str]:
    """The details in words."""
    details = _details(found)
    notes = []
    for rater, facts in details["raters"].items():
        text = f"{rater}: {facts['judged']} judged"
        if facts["by_rule"]:
            text += f", {facts['by_rule']} of them settled by rule (no answer, or equal answers)"
        lost = ", ".join(f"{count} × {reason}" for reason, count in facts["unusable"].items())
        notes.append(text + (f"; unusable verdicts: {lost}" if lost else ""))
    if found.first:
        notes.append(f"first unusable: {found.first}")
    if agreed := details.get("agreement"):
        for names, cohen in agreed["cohen_kappa"].items():
            notes.append(f"agreement of {names}: kappa {_told(cohen['kappa'])}, n {cohen['n']}")
        alpha = _told(agreed["krippendorff_alpha"])
        notes.append(f"agreement of all: Krippendorff's alpha {alpha}, n {agreed['compared']}")
    return notes + _still_open(found, material)


def _told(value: float | None) -> str:
    return "undefined (nothing varies)" if value is None else f"{value:.3f}"


def _gates(config: EvalConfig, summaries: Sequence[Summary]) -> list[Gate]:
    """The gates over what was found; one about a summary that is not there is refused."""
    written = [Written(text, None, None, "--fail-if") for text in config.fail_if]
    written += gates.read_gates(config.gates) if config.gates else []
    names = list(dict.fromkeys(summary["metric"] for summary in summaries))
    found = []
    for one in written:
        gate = conditions.parse(one.text, names, one.where)
        for comparison in gate.comparisons:
            _check_comparison(comparison, summaries, one.where)
        found.append(replace(gate, name=one.name, reason=one.reason))
    return found


def _check_comparison(comparison: Comparison, summaries: Sequence[Summary], where: str) -> None:
    of_metric = [s for s in summaries if s["metric"] == comparison.metric]
    fields = {field for field, _ in comparison.slice}
    if not any(set(summary["by"] or ()) == fields for summary in of_metric):
        known = sorted({",".join(f"{f}=…" for f in s["by"]) for s in of_metric if s["by"]})
        hint = f"there is {comparison.metric}@{known[0]}" if known else None
        raise usage(f"{comparison}: no such slice", where=where, hint=hint)
    if comparison.statistic == "p_adjusted":
        raise usage(f"{comparison}: verdicts have p alone", where=where)
    if comparison.statistic in PAIRED and "p" not in of_metric[0]:
        reason = f"{comparison}: {comparison.metric} is not compared with a baseline"
        raise usage(reason, where=where)


def _write(config: EvalConfig, summaries: Sequence[Summary], inputs: dict[str, str]) -> None:
    with files.open_output(config.output) as out:
        RowWriter(out).write_all(summaries)
    if manifest := lineage.manifest_path(config.output, config.manifest):
        lineage.write_manifest(
            manifest,
            artifact=config.output,
            rows=len(summaries),
            config=config,
            inputs=inputs,
            versions=lineage.versions("numpy"),
        )
