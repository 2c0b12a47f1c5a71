"""The report of `eval`: the verdict in a sentence, then all that it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from instructune import lineage
from instructune.configs import EvalConfig
from instructune.evaluating.forgetting import Fate
from instructune.evaluating.gates import Verdict
from instructune.evaluating.predictions import Answer
from instructune.evaluating.summaries import Summary
from instructune.files import STDIO
from instructune.jsonl import dumps
from instructune.reports import calibrated, classes, examples, figures, lengths, scoreboard
from instructune.reports.headlines import GATE, Headline, headline
from instructune.reports.pages import Html, element, folded, heading, note, page, table

_PLACES = ("output", "scores", "report", "junit", "manifest")  # what was written changes no score
_MOST_MODELS = 5


@dataclass(frozen=True)
class Run:
    """What `eval` read, and what it found."""

    config: EvalConfig
    names: Sequence[str]
    answers: Sequence[Answer]
    baseline: Sequence[Answer] | None
    summaries: Sequence[Summary]
    verdicts: Sequence[Verdict]
    fates: Sequence[Fate]
    chosen_by: str
    notes: Sequence[str]
    inputs: Mapping[str, str]


def evaluated(run: Run) -> bytes:
    """The page; the same run gives the same bytes."""
    parts = [
        _verdict(headline(run.summaries, run.verdicts, run.config.undecided)),
        *_counted(run),
        *scoreboard.gates(run.verdicts),
        *scoreboard.scores(run.summaries),
        *scoreboard.slices(run.summaries),
        *scoreboard.fates(run.fates),
        *classes.sections(run.summaries),
        *calibrated.sections(run.answers, run.baseline),
        *examples.sections(run.names, run.answers, run.baseline),
        *lengths.sections(run.answers, run.baseline),
        *_provenance(run),
    ]
    return page(_title(run.config), parts)


def _title(config: EvalConfig) -> str:
    named = [name for name in (config.predictions or STDIO, config.baseline) if name]
    shown = (lineage.shortened("standard input" if name == STDIO else name) for name in named)
    return f"instructune eval: {' against '.join(shown)}"


def _verdict(found: Headline) -> Html:
    more = [element("ul", *(element("li", line) for line in found.more))] if found.more else []
    return element(
        "section",
        element("strong", found.word),
        element("p", found.sentence if found.word == GATE else figures.at_start(found.sentence)),
        *more,
        class_=f"verdict {found.tone}",
    )


def _counted(run: Run) -> Iterator[Html]:
    whole = run.summaries[0]
    yield note(
        f"{whole['n']:,} of {whole['n_expected']:,} predictions scored, "
        f"errors: {whole['n_errors']:,}; metrics chosen by {run.chosen_by}"
    )
    yield from map(note, run.notes)


def _provenance(run: Run) -> Iterator[Html]:
    """Files by hash, versions, models, settings and the recipe of each number."""
    yield heading("Where this comes from")
    files = lineage.by_name(run.inputs).items()
    yield table([{"file": name, "sha256": element("code", digest)} for name, digest in files])
    found = {"now": run.answers} | ({"before": run.baseline} if run.baseline else {})
    facts = [
        {"what": f"{name} {version}", "": ""} for name, version in lineage.versions("numpy").items()
    ]
    for side, answers in found.items():
        models = sorted({str(a.row["model"]) for a in answers if "model" in a.row})
        more = [f"and {len(models) - _MOST_MODELS:,} more"] if len(models) > _MOST_MODELS else []
        if models:
            shown = ", ".join([*models[:_MOST_MODELS], *more])
            facts.append({"what": f"model, {side}", "": element("code", shown)})
    yield table(facts)
    settings = {k: v for k, v in lineage.plain(run.config).items() if k not in _PLACES}
    rows = [{"setting": name, "": _code(value)} for name, value in settings.items()]
    yield folded("Settings", table(rows))
    whole = [summary for summary in run.summaries if summary["by"] is None]
    recipes = [{"metric": s["metric"], "": element("code", s["signature"])} for s in whole]
    yield folded("Signatures", table(recipes))


def _code(value: object) -> Html:
    return element("code", dumps(value).decode())
