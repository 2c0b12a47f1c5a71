"""Chance that one of k answers to a row passes the row's tests, which are run in a sandbox.

The unbiased estimate of Chen et al. 2021 (arXiv:2107.03374), 1 - C(n - c, k) / C(n, k) for c of n
samples that pass; fewer than k samples of a row are an error. Runs code only with `--allow-code`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np

from instructune.codebox import Job, Limits, Verdict
from instructune.errors import UserError, usage
from instructune.evaluating.codetests import job_of, refuse_unless_allowed, verdicts
from instructune.evaluating.predictions import Answer
from instructune.metrics._answered import text_of

REFERENCES = ()
HIGHER_IS_BETTER = True
RANGE = (0.0, 1.0)
MEAN_OF_ROWS = True
RUNS_CODE = True
CHANCE = False  # each guess would be code to run, and none passes tests worth the name
SIGNATURE = "estimator:unbiased"
PAPER = "https://arxiv.org/abs/2107.03374"


@dataclass(frozen=True)
class Options:
    """`k` answers are drawn; each may use `seconds` of processor time and `memory` megabytes."""

    k: int = 1
    seconds: int = 5
    memory: int = 512

    def __post_init__(self) -> None:
        for name, least, most in (("k", 1, 10_000), ("seconds", 1, 3600), ("memory", 128, 1 << 16)):
            if not least <= getattr(self, name) <= most:
                raise usage(f"pass_at: {name} must be from {least} to {most}")


def estimate(n: int, c: int, k: int) -> float:
    """Pass@k of n samples of which c pass."""
    return 1 - comb(n - c, k) / comb(n, k)


def row_score(answer: Answer, options: Options) -> float:
    """1 where this one answer passes."""
    return float(_verdicts([answer], options)[0].passed)


def row_details(answer: Answer, options: Options) -> dict[str, Any]:
    """Whether this one answer passes, and if not, why."""
    return _verdicts([answer], options)[0]._asdict()


def statistics(answers: Sequence[Answer], options: Options) -> np.ndarray:
    """(n, 2): the estimate for the row's id, and 1."""
    names = [answer.row["id"] for answer in answers]
    sizes = Counter(names)
    for name, size in sizes.items():
        if size < options.k:
            raise UserError(
                f"id {name!r} has {size} {'sample' if size == 1 else 'samples'}, "
                f"pass_at with k={options.k} needs {options.k}",
                hint=f"generate --samples {options.k}",
            )
    found = zip(names, _verdicts(answers, options), strict=True)
    passed = Counter(name for name, verdict in found if verdict.passed)
    chances = {name: estimate(size, passed[name], options.k) for name, size in sizes.items()}
    return np.array([(chances[name], 1.0) for name in names])


def value(sums: np.ndarray, options: Options) -> np.ndarray:
    """Mean over ids."""
    return sums[..., 0] / sums[..., 1]


def details(answers: Sequence[Answer], sums: np.ndarray, options: Options) -> dict[str, Any]:
    """How many answers pass, and the kinds of failures of the others."""
    found = _verdicts(answers, options)
    kinds = Counter((verdict.reason or "passed").partition(":")[0] for verdict in found)
    return {"outcomes": dict(sorted(kinds.items()))}


def _verdicts(answers: Sequence[Answer], options: Options) -> list[Verdict]:
    refuse_unless_allowed("pass_at")
    limits = Limits(seconds=options.seconds, memory=options.memory)
    return verdicts(list(map(_job, answers)), limits)


def _job(answer: Answer) -> Job | None:
    """None for an error or an empty answer, which needs no run; its row must have tests, too."""
    text = None if answer.prediction is None else text_of(answer)
    job = job_of(answer.row, text or "")
    return job if text and text.strip() else None
