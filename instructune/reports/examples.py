"""Rows worth reading: lost, gained and worst answers beside what was asked and wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from instructune.evaluating import comparing
from instructune.evaluating.predictions import Answer
from instructune.evaluating.rowscores import RowScores, row_scores
from instructune.jsonl import dumps
from instructune.records import key_of
from instructune.reports import figures
from instructune.reports.pages import Html, element, folded, heading, joined, note, text
from instructune.reports.worddiffs import marked

MOST_ROWS = 10  # of a kind
MOST_CHARS = 800  # of a text
MOST_REFERENCES = 3


class Shown(NamedTuple):
    """A row, its baseline's answer, and the scores of both, more being better."""

    answer: Answer
    baseline: Answer | None
    score: float
    before: float | None


def sections(
    names: Sequence[str], answers: Sequence[Answer], baseline: Sequence[Answer] | None
) -> Iterator[Html]:
    """Answers lost and gained against the baseline, then the worst; each with how many there are.

    Of many the first are shown: those with the greatest difference, or the lowest score.
    """
    scores = row_scores(names, answers)
    if not scores:
        return
    rows = sorted(_rows(names, answers, baseline, scores), key=lambda row: key_of(row.answer.row))
    yield heading("Answers")
    yield note(f"Rows are told apart by {figures.name_of(scores.metric)}.")
    if baseline:
        lost = sorted((r for r in rows if _rise(r) < 0), key=_rise)
        gained = sorted((r for r in rows if _rise(r) > 0), key=lambda row: -_rise(row))
        yield _kind("Lost: better before", lost, scores, opened=True)
        yield _kind("Gained: better now", gained, scores, opened=True)
    worst = sorted((row for row in rows if row.score < scores.best), key=lambda row: row.score)
    yield _kind("The worst now", worst, scores, opened=not baseline)


def _rows(
    names: Sequence[str],
    answers: Sequence[Answer],
    baseline: Sequence[Answer] | None,
    scores: RowScores,
) -> Iterator[Shown]:
    old = row_scores(names, baseline) if baseline else None
    for i, (answer, score) in enumerate(zip(answers, scores.values, strict=True)):
        other = baseline[i] if baseline else None
        yield Shown(answer, other, score, old.values[i] if old else None)


def _rise(row: Shown) -> float:
    return row.score - (row.score if row.before is None else row.before)


def _kind(title: str, rows: Sequence[Shown], scores: RowScores, *, opened: bool) -> Html:
    total = len(rows)
    counted = f"{total:,}" if total <= MOST_ROWS else f"{MOST_ROWS} of {total:,}"
    shown = [_row(row, scores) for row in rows[:MOST_ROWS]]
    return folded(f"{title} ({counted})", *shown, opened=opened and bool(total))


def _row(row: Shown, scores: RowScores) -> Html:
    name, sample = key_of(row.answer.row)
    told = [element("span", f"{name}, sample {sample}" if sample else name)]
    if task := row.answer.row.get("task"):
        told.append(element("span", f"task {task}"))
    change = "" if row.before is None else f"{_score(row.before, scores)} → "
    metric = figures.name_of(scores.metric)
    told.append(element("span", f"{metric} {change}{_score(row.score, scores)}"))
    parts = [_part("Asked", joined(_cut(comparing.question(row.answer.row))))]
    parts += _answers(row)
    return element(
        "article",
        element("header", *told),
        element("div", *parts, class_="parts"),
        class_="row",
    )


def _score(value: float, scores: RowScores) -> str:
    return f"{scores.told(value):.3f}".rstrip("0").rstrip(".")


def _answers(row: Shown) -> Iterator[Html]:
    """What was wanted and what was said; an answer is compared with the one before, or wanted."""
    now, before = row.answer, row.baseline
    wanted, *others = map(_cut, now.references[:MOST_REFERENCES] or [""])
    said, old = _cut(now.prediction), _cut(before.prediction if before else None)
    if before and now.prediction is not None and before.prediction is not None:
        old, said = _compared(old, said)
    elif not before and now.references and now.prediction is not None:
        wanted, said = _compared(wanted, said)
    if now.references:
        more = len(now.references) - MOST_REFERENCES
        rest = [text(f"… {more} more")] if more > 0 else []
        yield _part("Wanted", joined([*map(joined, [wanted, *others]), *rest], " | "))
    if before:
        yield _part("Before", joined(old), before)
    yield _part("Now" if before else "Answered", joined(said), now)


Cut = tuple[str, Html]  # the beginning of a text, and how much more there is


def _cut(value: Any) -> Cut:
    """An answer as text of bounded length."""
    said = value if isinstance(value, str) else dumps(value).decode()
    more = len(said) - MOST_CHARS
    rest = element("span", f"… ({more:,} more characters)", class_="soft")
    return said[:MOST_CHARS], rest if more > 0 else Html("")


def _compared(before: Cut, after: Cut) -> tuple[Cut, Cut]:
    old, new = marked(before[0], after[0])
    return (old, before[1]), (new, after[1])


def _part(title: str, said: Html, answer: Answer | None = None) -> Html:
    if answer and answer.prediction is None:
        reason = _cut(str(answer.row.get("error") or "no answer"))
        said = element("span", "error: ", *reason, class_="bad-text")
    elif answer and answer.prediction == "":
        said = element("span", "(an empty answer)", class_="soft")
    body = element("div", said, class_="said", dir="auto")
    return element("div", element("h4", title), body, class_="part")
