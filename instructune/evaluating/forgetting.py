"""What training kept, lost and gained: answers before and after, by task or any other field."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from instructune.evaluating.predictions import Answer
from instructune.evaluating.rowscores import RowScores, row_scores
from instructune.jsonl import dumps
from instructune.records import key_of
from instructune.statistics import significance

Fate = dict[str, Any]

FIELD = "task"


def forgetting(
    names: Sequence[str],
    answers: Sequence[Answer],
    baseline: Sequence[Answer],
    by: Sequence[str],
    *,
    adjust: str = "holm",
    clustered: bool = False,
) -> list[Fate]:
    """For each value of `task`, where rows have it, and of each field of `by`, what became of ids.

    An id is lost or gained where the mean score of its rows fell or rose; else it is kept, or
    missed where both answers are as bad as can be. `p` is that of an exact sign test on the ids
    lost and gained, `p_adjusted` that for all tests made here; null where ids are `clustered`,
    for which the test would claim too much.
    """
    fields = [FIELD] if any(FIELD in answer.row for answer in answers) else []
    fields += [field for field in dict.fromkeys(by) if field != FIELD]
    before, after = row_scores(names, baseline), row_scores(names, answers)
    if not before or not after or not fields:
        return []
    ids = list(_ids(answers, before, after))
    fates = [fate for field in fields for fate in _fates(field, ids, after)]
    if clustered:
        return [fate | {"p": None} for fate in fates]
    if adjust != "none":
        adjusted = significance.adjusted([fate["p"] for fate in fates], adjust)
        for fate, p in zip(fates, adjusted, strict=True):
            fate["p_adjusted"] = p
    return fates


Pair = tuple[Answer, float, float]  # an id's first row, and its mean score before and after


def _ids(answers: Sequence[Answer], before: RowScores, after: RowScores) -> Iterator[Pair]:
    rows = sorted(
        zip(answers, before.values, after.values, strict=True), key=lambda row: key_of(row[0].row)
    )
    for _, found in groupby(rows, key=lambda row: row[0].row["id"]):
        same, old, new = zip(*found, strict=True)
        yield same[0], sum(old) / len(old), sum(new) / len(new)


def _fates(field: str, ids: Sequence[Pair], scores: RowScores) -> Iterator[Fate]:
    groups: dict[bytes, list[Pair]] = {}
    for pair in ids:
        groups.setdefault(dumps(pair[0].row.get(field)), []).append(pair)
    for spelled in sorted(groups):
        pairs = groups[spelled]
        lost = sum(new < old for _, old, new in pairs)
        gained = sum(new > old for _, old, new in pairs)
        missed = sum(old == new == scores.worst for _, old, new in pairs)
        yield {
            "by": {field: pairs[0][0].row.get(field)},
            "metric": scores.metric,
            "n": len(pairs),
            "kept": len(pairs) - lost - gained - missed,
            "lost": lost,
            "gained": gained,
            "missed": missed,
            "p": significance.mcnemar_test(gained, lost).p,
        }
