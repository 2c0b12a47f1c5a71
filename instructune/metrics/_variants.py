"""Rows that are copies of others, changed by `prepare --transform noise`, `swap` and the like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from instructune.errors import UserError, usage
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.records import key_of


class Variants(NamedTuple):
    """A row and its copies, by their places."""

    original: int
    copies: list[int]


def variants(answers: Sequence[Answer], made_by: str = "") -> list[Variants]:
    """The rows that have copies `made_by` this transform, or by any; there must be some.

    A copy is marked by `augmented`, and its id is the row's with what made it behind a `~`.
    """
    places = {key_of(answer.row): i for i, answer in enumerate(answers)}
    found: dict[int, list[int]] = defaultdict(list)
    for i, answer in enumerate(answers):
        kind = answer.row.get("augmented")
        if not kind or (made_by and kind != made_by):
            continue
        name, sample = key_of(answer.row)
        original = places.get((name.rpartition("~")[0], sample))
        if original is None:
            raise UserError(
                "is a copy of a row that is not here",
                where=f"id {name!r}",
                hint="score the rows and their copies together",
            )
        found[original].append(i)
    if not found:
        what = f"--transform {made_by}" if made_by else "--transform noise, synonyms, …"
        raise UserError(f"no row is a copy of another; instructune prepare {what} makes them")
    return [Variants(original, copies) for original, copies in sorted(found.items())]


def scores(answers: Sequence[Answer], of: str, where: str) -> Iterator[float]:
    """Each row's score from 0 to 1 by the metric `of`, 0 for an error."""
    metric = Metric(of, answers)
    if not hasattr(metric, "row_score") or metric.RANGE != (0.0, 1.0):
        raise usage(f"{of} gives a row no score from 0 to 1", where=f"--metric {where}")
    worst = getattr(metric, "WORST", 0.0)
    return (worst if a.prediction is None else metric.row_score(a) for a in answers)
