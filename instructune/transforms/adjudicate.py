"""Makes a `label` of several annotations by majority; ties by a rule, or left for the filter."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from instructune.preparing.annotators import majority
from instructune.records import Record


@dataclass(frozen=True)
class Options:
    """`tie`: `first` takes the tied value of the first annotator named in `order` (or in the row),
    `mean` the mean of numbers, `none` gives no label, so that `--filter undecided` drops the row.
    """

    tie: Literal["first", "mean", "none"] = "first"
    order: tuple[str, ...] = ()
    least: int = 1


class Transform:
    """A label that is there stays; the annotations stay in any case."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record with a label; why, or why not, is counted."""
        given = {
            name: value
            for name, value in record.get("annotations", {}).items()
            if value is not None
        }
        if not given or "label" in record:
            return [record]
        if len(given) < self._options.least:
            changes[f"fewer than {self._options.least} annotations: no label"] += 1
            return [record]
        label, kind = self._decided(given)
        changes[kind] += 1
        return [record if label is None else Record(record | {"label": label})]

    def _decided(self, given: dict[str, Any]) -> tuple[Any, str]:
        best = majority(given)
        if len(best) == 1:
            unlike = any(value != best[0] for value in given.values())
            return best[0], "adjudicated by majority" if unlike else "annotators agree"
        if self._options.tie == "none":
            return None, "tied: no label"
        if self._options.tie == "mean" and all(type(v) in (int, float) for v in given.values()):
            return sum(given.values()) / len(given), "tied: the mean"
        for name in self._options.order:
            if given.get(name) in best:
                return given[name], "tied: by the order of annotators"
        return best[0], "tied: the first value"
