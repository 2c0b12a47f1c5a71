"""What metrics over a row's own checks share: which of them its answer passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from instructune.checking import failures, prepared
from instructune.errors import Exit, UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._answered import text_of
from instructune.metrics._table import Table, filled
from instructune.records import FIELDS, Record


@dataclass(frozen=True)
class Options:
    """`loose` forgives a line before or after the answer and asterisks, as IFEval does."""

    loose: bool = False


def verdicts(answer: Answer, loose: bool) -> list[tuple[str, bool]]:
    """Each check of the row by name, and whether the answer passes; none passes on an error."""
    record = Record(answer.row)
    found = []
    for item in _checks_of(record):
        text = None if answer.prediction is None else text_of(answer)
        failed = failures(text, [item], record, loose=loose)
        found.append((item["check"], not failed))
    return found


def _checks_of(record: Record) -> list[dict[str, Any]]:
    """The row's checks; a row without any is an error, for it would pass them all."""
    checks = record.get("checks")
    fault = "has no checks" if not checks else FIELDS["checks"].check(checks)
    if checks is None or fault:
        raise UserError(
            f"id {record.get('id')!r}: {fault if not checks else f'checks {fault}'}",
            hint="name the file that has them: --references FILE; "
            "prepare --transform describe reads them off the prompts",
        )
    return checks


def table(answers: Sequence[Answer], options: Options, *, whole: bool) -> Table:
    """(n, 2 + 2 C) for C names of checks: passed, total, then both by name.

    `whole` counts the row as one, passed with all its checks; else each check is one.
    """
    names = checked(answers)
    size, cells = len(names), []
    place = {name: 2 + i for i, name in enumerate(names)}
    for row, answer in enumerate(answers):
        found = verdicts(answer, options.loose)
        passed = sum(good for _, good in found)
        total = 1 if whole else len(found)
        cells += [(row, 0, float(passed == len(found) if whole else passed)), (row, 1, total)]
        for name, count in Counter(name for name, good in found if good).items():
            cells.append((row, place[name], count))
        for name, count in Counter(name for name, _ in found).items():
            cells.append((row, place[name] + size, count))
    return filled(cells, (len(answers), 2 + 2 * size))


def checked(answers: Sequence[Answer]) -> list[str]:
    """The names of all checks, sorted."""
    return sorted({item["check"] for a in answers for item in _checks_of(Record(a.row))})


def share(sums: np.ndarray, options: Options) -> np.ndarray:
    """Passed by total."""
    return sums[..., 0] / sums[..., 1]


def report(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """The share passed by name, and the checks that could not be verified, each a failure.

    `n` counts an id's samples as one, as the value does.
    """
    names = checked(answers)
    passed, total = sums[2 : 2 + len(names)], sums[2 + len(names) :]
    lines = zip(names, passed.tolist(), total.tolist(), strict=True)
    return {
        "per_check": {name: {"passed": p / t, "n": round(t, 6)} for name, p, t in lines},
        "unverifiable": _unverifiable(answers),
    }


def _unverifiable(answers: Sequence[Answer]) -> dict[str, Any]:
    """How many checks do not exist or have wrong args, and one reason for each name."""
    reasons: dict[str, str] = {}
    count = 0
    for answer in answers:
        record = Record(answer.row)
        for item in _checks_of(record):
            try:
                prepared(item, record)
            except UserError as error:
                if error.code is not Exit.USAGE:
                    raise
                count += 1
                reasons.setdefault(item["check"], error.reason)
    return {"n": count, "checks": dict(sorted(reasons.items()))}
