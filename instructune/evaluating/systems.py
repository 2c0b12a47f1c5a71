"""A system's answers as a metric sees them: its value, and the units that are resampled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from instructune.errors import UserError
from instructune.evaluating.measuring import Metric
from instructune.evaluating.predictions import Answer
from instructune.jsonl import dumps
from instructune.statistics.measures import Measure, RowMeasure, SumMeasure
from instructune.statistics.tables import Table, exact_sums, group_sums, unit_means


class Units(NamedTuple):
    """Rows in order of their keys as ids, and ids as the units of resampling and of tests.

    `starts` (ids,) is each id's first row, `groups` (ids,) the number of its unit.
    """

    starts: np.ndarray
    sizes: np.ndarray
    groups: np.ndarray
    n: int
    clustered: bool

    @property
    def of_rows(self) -> np.ndarray:
        """The unit of each row."""
        return np.repeat(self.groups, self.sizes)

    @property
    def shares(self) -> np.ndarray:
        """What each row weighs: the rows of an id share its 1."""
        return np.repeat(1 / self.sizes, self.sizes)


def units_of(answers: Sequence[Answer], cluster: str | None) -> Units:
    """The units of rows in order of their keys: ids, or the values of the field `cluster`."""
    ids = [answer.row["id"] for answer in answers]
    starts = np.array([i for i, name in enumerate(ids) if i == 0 or name != ids[i - 1]])
    sizes = np.diff(starts, append=len(ids))
    if cluster is None:
        return Units(starts, sizes, np.arange(len(starts)), len(starts), False)
    values = [_cluster(answer, cluster) for answer in answers]
    for i, start in enumerate(starts):
        if len(set(values[start : start + sizes[i]])) > 1:
            raise UserError(
                f"samples of one id have different values of {cluster!r}",
                where=f"id {ids[start]!r}",
                hint="a cluster is made of whole ids",
            )
    number = {value: i for i, value in enumerate(sorted(set(values)))}
    groups = np.array([number[values[start]] for start in starts])
    return Units(starts, sizes, groups, len(number), True)


def _cluster(answer: Answer, field: str) -> bytes:
    if field not in answer.row:
        raise UserError(
            f"has no field {field!r}",
            where=f"id {answer.row['id']!r}",
            hint="--cluster names a field that every row has",
        )
    return dumps(answer.row[field])


class System:
    """A metric on the answers of one system.

    `known` keeps tables by the function that made them: metrics of classes share one.
    """

    def __init__(
        self,
        metric: Metric,
        answers: Sequence[Answer],
        units: Units,
        known: dict[Any, Table],
    ) -> None:
        self.metric, self.units = metric, units
        self.sums: np.ndarray | None = None
        self.measure: Measure
        try:
            with np.errstate(over="ignore"):
                self._measure(answers, known)
        except OverflowError:
            self.value = math.inf
        if math.isinf(self.value):
            raise UserError(
                f"{metric.name} is no finite number: the rows hold numbers too large for it"
            )

    def _measure(self, answers: Sequence[Answer], known: dict[Any, Table]) -> None:
        metric, units = self.metric, self.units
        if hasattr(metric, "evaluator"):
            evaluator = metric.evaluator(answers)
            self.measure = RowMeasure(evaluator, units.of_rows, units.shares, units.n)
            self.value = float(self.measure.weighted(np.ones((1, units.n)))[0])
            return
        made = metric.statistics
        if made not in known:
            known[made] = unit_means(made(answers), units.starts)
        by_id = known[made]
        self.sums = exact_sums(by_id)
        self.value = float(metric.value(self.sums))
        table = group_sums(by_id, units.groups, units.n) if units.clustered else by_id
        self.measure = SumMeasure(table, metric.value)

    def scores(self) -> np.ndarray | None:
        """What each unit adds to the mean, where the metric is the mean of rows."""
        if isinstance(self.measure, SumMeasure) and getattr(self.metric, "MEAN_OF_ROWS", False):
            return self.measure.table[:, 0]
        return None

    def is_proportion(self) -> bool:
        """Whether the value is a share of ids: a mean of nothing but zeros and ones."""
        scores = self.scores()
        return (
            scores is not None
            and tuple(self.metric.RANGE) == (0.0, 1.0)
            and not self.units.clustered
            and bool(((scores == 0) | (scores == 1)).all())
        )
