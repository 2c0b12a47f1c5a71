"""What areas under curves share: one label against the rest, by the scores of all labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from instructune.errors import UserError, did_you_mean
from instructune.evaluating.predictions import Answer
from instructune.metrics._fields import label_scores
from instructune.metrics._groups import Groups, grouped
from instructune.metrics._labels import reference_labels

Area = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Options:
    """The label whose area is asked for.

    Unsaid, it is the last in order of two, as in scikit-learn; of more the mean over all, each
    against the rest, is taken.
    """

    positive: str = ""


class Ranking(NamedTuple):
    """Rows by a label's score, and which of them, in this order, truly have it."""

    groups: Groups
    positive: np.ndarray  # (n,) of 1 and 0


def named(answers: Sequence[Answer], options: Options) -> str:
    """The labels that are averaged, for the signature."""
    labels = _positives(answers, options)
    return f"positive:{labels[0]}" if len(labels) == 1 else "average:macro_one_vs_rest"


def _positives(answers: Sequence[Answer], options: Options) -> list[str]:
    labels = reference_labels(answers)
    if len(labels) < 2:
        raise UserError(f"a curve needs two labels, all references are {labels[0]!r}")
    if options.positive and options.positive not in labels:
        hint = did_you_mean(options.positive, labels)
        raise UserError(f"no reference is the positive label {options.positive!r}", hint=hint)
    if options.positive:
        return [options.positive]
    return labels[-1:] if len(labels) == 2 else labels


def curve_evaluator(
    answers: Sequence[Answer], options: Options, area: Area, undefined: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Values (b,) of weighted rows (b, n): the mean of `area` over labels.

    `area` takes positive and negative weight (b, g) by distinct score, ascending. A label without
    both in a resample is left out of its mean; where none is left, the value is `undefined`. An
    error scores lowest for its true label and highest for all others.
    """
    rankings = _rankings(answers, _positives(answers, options))

    def value(weights: np.ndarray) -> np.ndarray:
        total, defined = np.zeros(len(weights)), np.zeros(len(weights))
        for ranking in rankings:
            groups = ranking.groups
            ordered = weights.take(groups.order, axis=1)
            true = ordered * ranking.positive
            positive, negative = groups.sums(true), groups.sums(ordered - true)
            both = (positive.sum(axis=1) > 0) & (negative.sum(axis=1) > 0)
            total[both] += area(positive[both], negative[both])
            defined += both
        return np.where(defined > 0, total / np.maximum(defined, 1), undefined)

    return value


def _rankings(answers: Sequence[Answer], labels: Sequence[str]) -> list[Ranking]:
    columns, odds = _log_odds(answers, reference_labels(answers))
    failed = np.array([answer.prediction is None for answer in answers])
    true = [{text.strip() for text in answer.references} for answer in answers]
    rankings = []
    for label in labels:
        positive = np.array([label in names for names in true])
        scores = odds[:, columns[label]].copy()
        scores[failed] = np.where(positive[failed], -np.inf, np.inf)
        groups = grouped(scores)
        rankings.append(Ranking(groups, positive[groups.order].astype(float)))
    return rankings


def _log_odds(
    answers: Sequence[Answer], labels: Sequence[str]
) -> tuple[dict[str, int], np.ndarray]:
    """The column of each label, and log-odds (n, L): a label's score less that of the others.

    They order as probabilities do that add up to one, without rounding any to 1. Scores that
    are equal but for their last bits are ties.
    """
    rows = [{} if answer.prediction is None else label_scores(answer) for answer in answers]
    columns = {name: i for i, name in enumerate(sorted({name for row in rows for name in row}))}
    scores = np.full((len(rows), len(columns)), -np.inf)
    for i, (answer, row) in enumerate(zip(answers, rows, strict=True)):
        if row and (missing := [label for label in labels if label not in row]):
            raise UserError(f"id {answer.row['id']!r}: label_scores has no {missing[0]!r}")
        scores[i, [columns[name] for name in row]] = list(row.values())
    none = np.full((len(rows), 1), -np.inf)
    before = np.logaddexp.accumulate(np.hstack([none, scores[:, :-1]]), axis=1)
    after = np.logaddexp.accumulate(np.hstack([none, scores[:, :0:-1]]), axis=1)[:, ::-1]
    with np.errstate(invalid="ignore"):  # an error's row, which has no scores
        return columns, np.round(scores - np.logaddexp(before, after), 12)
