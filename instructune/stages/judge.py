"""eval --judge: pairs -> prompts for a model, or questions to a person; verdicts -> summaries.

eval A --baseline B --judge human --rater NAME -o choices.jsonl    asks you, blind
eval A --baseline B --judge ask -o prompts.jsonl                   which is better? both orders
eval A [--baseline B] --judge ask --criteria default|FILE.toml …   scores by criteria
generate prompts.jsonl -m JUDGE -o answers.jsonl                   any backend, resumable
eval A --baseline B --judge answers.jsonl [--judge choices.jsonl]  win rates, agreement
eval --judge ab.jsonl --judge bc.jsonl …                           ratings, from verdicts alone
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from instructune import files, lineage
from instructune.configs import EvalConfig
from instructune.errors import Exit, Signalled, UserError, usage
from instructune.evaluating import predictions
from instructune.evaluating.inputs import check_places, read_inputs
from instructune.evaluating.predictions import Answer
from instructune.jsonl import RowWriter
from instructune.judges import judging, rubrics
from instructune.judges.choosing import Choices, Shown, turns
from instructune.judges.judging import Pair
from instructune.stopping import Stopped

HUMAN, ASK = "human", "ask"
Ask = Callable[[Shown], str]


@dataclass(frozen=True)
class Material:
    """What is to be judged, what the systems are called, and the hashes of all inputs."""

    answers: list[Answer]
    pairs: list[Pair]
    systems: tuple[str, ...]
    hashes: dict[str, str]

    @cached_property
    def by_key(self) -> dict[tuple[str, int], Pair]:
        """The pairs by what joins them to verdicts."""
        return {pair.key: pair for pair in self.pairs}

    @property
    def rows(self) -> dict[tuple[str, int], Mapping[str, Any]]:
        """The system's rows, by the same."""
        return {pair.key: found.row for pair, found in zip(self.pairs, self.answers, strict=True)}


def mode(config: EvalConfig) -> str:
    """`human`, `ask`, or `read` for files of verdicts; settings that do not fit are refused."""
    asked = [name for name in config.judge if name in (HUMAN, ASK)]
    if asked and len(config.judge) > 1:
        raise usage(
            f"{asked[0]} stands alone; a file of that name is ./{asked[0]}", where="--judge"
        )
    found = asked[0] if asked else "read"
    for name in () if asked else config.judge:
        _check_spelling(name)
    unfit: dict[str, Any] = {
        "metric": config.metric,
        "scores": config.scores,
        "seen": config.seen,
        "cluster": config.cluster,
        "report": config.report,
        "allow_code": config.allow_code,
        "adjust": config.adjust != EvalConfig.adjust,
    }
    if found != "read":
        unfit |= {"fail_if": config.fail_if, "gates": config.gates, "junit": config.junit}
        unfit |= {"by": config.by, "resamples": config.resamples}
    if found != ASK:
        unfit["criteria"] = config.criteria
    if found != HUMAN:
        unfit["rater"] = config.rater
    for name, value in unfit.items():
        if value:
            flag = f"--{name.replace('_', '-')}"
            raise usage(f"does not go with --judge {asked[0] if asked else 'FILE'}", where=flag)
    return found


def _check_spelling(name: str) -> None:
    """Refuse what is no file but nearly a word that `--judge` knows."""
    near = get_close_matches(name.lower(), (HUMAN, ASK), n=1, cutoff=0.75)
    if near and "/" not in name and not Path(name).exists():
        hint = f"did you mean {near[0]!r}?"
        raise UserError("no such file", where=name, hint=hint, code=Exit.NO_INPUT)


def read_material(config: EvalConfig) -> Material:
    """The predictions and the baseline's, joined with the references where there are any."""
    source = config.predictions or files.STDIO
    systems = judging.system_names(source, config.baseline)
    check_config(config, source)
    read = read_inputs(source, config.baseline, config.references)
    mine = predictions.answers(read.system, needed=False)
    theirs = predictions.paired(read.system, mine, read.baseline) if read.baseline else None
    return Material(mine, judging.pairs(mine, theirs), systems, read.hashes)


def check_config(config: EvalConfig, *sources: str) -> None:
    """Refuse outputs that cannot be written or are inputs too, before anything is read."""
    inputs = [*sources, config.references, config.baseline, config.gates, *config.judge]
    named = [name for name in inputs if name not in (HUMAN, ASK)]
    check_places(named, (config.output, config.manifest, config.junit))


def write_prompts(config: EvalConfig) -> dict[str, Any]:
    """Write what a judge is to be asked: comparisons with the baseline, or scores by criteria."""
    scored = config.criteria is not None or not config.baseline
    criteria = rubrics.load(config.criteria or "default") if scored else []
    material = read_material(config)
    if scored:
        records = list(judging.scorings(material.pairs, material.systems, criteria))
    else:
        records = list(judging.comparisons(material.pairs, material.systems))
    with files.open_output(config.output) as out:
        RowWriter(out).write_all(records)
    _write_manifest(config, len(records), material.hashes)
    return {
        "prompts": len(records),
        "pairs": len(material.pairs),
        "settled": sum("rule" in record["judged"] for record in records),
        "criteria": [criterion.name for criterion in criteria],
    }


def ask_person(config: EvalConfig, ask: Ask) -> dict[str, Any]:
    """Show each pair that this rater has not judged yet, and keep every decision as it falls."""
    if not config.baseline or not config.rater:
        flag = "--rater NAME" if config.baseline else "--baseline FILE"
        raise usage(f"needs {flag}", where="--judge human")
    if config.output == files.STDIO or config.output.endswith((".gz", ".zst")):
        raise usage("needs -o FILE, a plain file that choices are added to", where="--judge human")
    if not config.predictions or files.STDIO in (config.predictions, config.baseline):
        raise usage("needs the predictions as files: keys come by standard input")
    material = read_material(config)
    choices = Choices(config.output, material.systems)
    with choices.opened():
        session = _Session(choices, material.pairs, config.rater)
        try:
            session.run(ask, config.seed)
        except (KeyboardInterrupt, Signalled) as stop:
            told = f"{config.output}: {session.done} of {session.of} choices are kept"
            number = getattr(stop, "number", signal.SIGINT)
            raise Stopped(number, f"{told}; the same command goes on from there") from None
        finally:
            if session.rows:
                _write_manifest(config, session.rows, material.hashes)
    return {"chosen": session.done, "of": session.of, "skipped": session.skipped}


class _Session:
    """One sitting: what is settled, what was chosen before and now, and what was skipped."""

    def __init__(self, choices: Choices, found: Sequence[Pair], rater: str) -> None:
        self.choices, self.pairs, self.rater = choices, found, rater
        before = choices.kept(found, rater)
        self.known = {key for key, judgement in before.items() if not judgement.rule}
        self.ruled = {key for key, judgement in before.items() if judgement.rule}
        self.open = [pair for pair in found if not pair.settled]
        self.of, self.skipped = len(self.open), 0

    @property
    def done(self) -> int:
        """Decisions of the rater's own."""
        return len(self.known)

    @property
    def rows(self) -> int:
        """Rows in the file."""
        return self.choices.rows

    def run(self, ask: Ask, seed: int) -> None:
        """Settle what rules settle, then ask until all is chosen or the rater has enough."""
        for pair in self.pairs:
            if pair.settled and pair.key not in self.ruled:
                self.choices.append(pair, self.rater, *pair.settled)
        for turn in turns(self.open, seed, self.rater):
            if turn.pair.key in self.known:
                continue
            key = ask(turn.shown(self.done + self.skipped + 1, self.of))
            if key == "quit":
                return
            if key == "skip":
                self.skipped += 1
                continue
            self.choices.append(turn.pair, self.rater, turn.choice(key))
            self.known.add(turn.pair.key)


def _write_manifest(config: EvalConfig, rows: int, inputs: dict[str, str]) -> None:
    if manifest := lineage.manifest_path(config.output, config.manifest):
        lineage.write_manifest(
            manifest, artifact=config.output, rows=rows, config=config, inputs=inputs
        )
