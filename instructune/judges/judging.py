"""Pairs of answers in, prompts for a judge out, as records that `generate` answers.

`eval A --baseline B --judge ask | generate - -m JUDGE | eval A --baseline B --judge -`: eval has
no model, and what a judge said is a file. A prompt's row says under `judged` what it is about;
the judge reads its `messages` alone, which do not tell whose answer is whose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from instructune.chats import Message
from instructune.errors import UserError, usage
from instructune.evaluating.predictions import Answer
from instructune.judges.judgewords import WORDING, Material, pairwise, rubric, settled
from instructune.judges.rubrics import Criterion
from instructune.lineage import fingerprint, shortened
from instructune.records import Record, key_of
from instructune.texts import asked, prompt_of

ROLES = ("system", "baseline")


class Pair(NamedTuple):
    """The answers of a system, and of a baseline where there is one, to one request."""

    id: str
    sample: int
    question: str
    reference: str | None
    answers: tuple[str | None, ...]  # by role; None is an error

    @property
    def key(self) -> tuple[str, int]:
        """What joins it to predictions."""
        return self.id, self.sample

    @property
    def fingerprint(self) -> str:
        """Of what is judged: verdicts on other answers do not count."""
        return fingerprint([self.question, list(self.answers)])

    @property
    def settled(self) -> tuple[str, str] | None:
        """The choice that needs nobody, and the rule it follows from; None where a judge must."""
        system, baseline = self.answers
        if system is None or baseline is None:
            choice = "tie" if system == baseline else ROLES[system is None]
            return choice, "no answer"
        return ("tie", "equal answers") if system.strip() == baseline.strip() else None


def pairs(system: Sequence[Answer], baseline: Sequence[Answer] | None) -> list[Pair]:
    """One for each key, in the order of the system's rows."""
    others = baseline or [None] * len(system)  # type: ignore[list-item]
    return [_pair(mine, theirs) for mine, theirs in zip(system, others, strict=True)]


def _pair(mine: Answer, theirs: Answer | None) -> Pair:
    record = Record(mine.row)
    if asked(record) is None:
        raise UserError(
            f"id {record['id']!r} does not tell what was asked",
            hint="name the file that does: --references FILE",
        )
    reference = next((r for r in mine.references if isinstance(r, str)), None)
    sides = (mine,) if theirs is None else (mine, theirs)
    answers = tuple(_as_text(side.prediction) for side in sides)
    return Pair(*key_of(record), _asked(record), reference, answers)


def _as_text(prediction: Any) -> str | None:
    if prediction is None or isinstance(prediction, str):
        return prediction
    return json.dumps(prediction, ensure_ascii=False)


def _asked(record: Record) -> str:
    """What the model was asked: a lone question as it is, a longer chat with its speakers."""
    if "messages" not in record:
        return prompt_of(record)
    turns: list[Message] = record.prompt()
    if len(turns) == 1:
        return turns[0].get("content") or ""
    return "\n\n".join(f"[{turn['role']}]\n{turn.get('content') or ''}" for turn in turns)


def system_names(system: str, baseline: str | None) -> tuple[str, ...]:
    """What the systems are called in verdicts: their files, without folders of this machine."""
    names = tuple(shortened(name) for name in (system, baseline) if name)
    if len(set(names)) < len(names):
        hint = "name them by paths relative to here"
        raise usage(f"both files would be called {names[0]!r}", where="--baseline", hint=hint)
    return names


def comparisons(found: Sequence[Pair], systems: tuple[str, ...]) -> Iterator[Record]:
    """The prompts that ask which answer is better: two a pair, so that no place has an edge."""
    for pair in found:
        about = _about(pair, systems)
        if pair.settled:
            choice, rule = pair.settled
            about |= {"choice": choice, "rule": rule}
            yield _record(pair, "settled", settled(_material(pair, pair.answers)), about)
            continue
        for first, order in (("system", pair.answers), ("baseline", pair.answers[::-1])):
            text = pairwise(_material(pair, order))
            yield _record(pair, f"{first}-first", text, about | {"first": first})


def scorings(
    found: Sequence[Pair], systems: tuple[str, ...], criteria: Sequence[Criterion]
) -> Iterator[Record]:
    """The prompts that ask for scores: one for each answer."""
    scales = {criterion.name: [criterion.low, criterion.high] for criterion in criteria}
    for pair in found:
        for role, answer in zip(ROLES, pair.answers, strict=False):
            about = _about(pair, systems) | {"of": role, "criteria": scales}
            material = _material(pair, (answer,))
            if answer is None:
                about |= {"rule": "no answer"}
            text = settled(material) if answer is None else rubric(material, criteria)
            yield _record(pair, role, text, about)


def _about(pair: Pair, systems: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": pair.id,
        "sample": pair.sample,
        "systems": list(systems),
        "answers": pair.fingerprint,
        "wording": WORDING,
    }


def _material(pair: Pair, answers: tuple[str | None, ...]) -> Material:
    return Material(pair.question, pair.reference, tuple(answer or "" for answer in answers))


def _record(pair: Pair, kind: str, text: str, about: dict[str, Any]) -> Record:
    return Record(
        id=f"{pair.id}:{pair.sample}:{kind}",
        messages=[{"role": "user", "content": text}],
        judged=about,
    )
