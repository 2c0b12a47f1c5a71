"""How far annotators agree, beyond chance, and where they do not.

Cohen (1960), Educational and Psychological Measurement 20(1), 37-46; Fleiss (1971), Psychological
Bulletin 76(5), 378-382; Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
Values are compared by equality: a list (several labels) is one value, `1` and `1.0` are equal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Literal, NamedTuple

Annotations = Mapping[str, Any]
Level = Literal["nominal", "interval"]


class Disagreement(NamedTuple):
    """One row that was not annotated alike: the annotators by value, the most frequent first."""

    id: str
    values: dict[str, list[str]]


def cohen_kappa(first: Sequence[Any], second: Sequence[Any]) -> float | None:
    """Agreement of two annotators over the same rows; None where chance explains all there is.

    (p_o - p_e) / (1 - p_e), with p_e from each annotator's own shares.
    """
    if len(first) != len(second):
        raise ValueError("two annotators need values for the same rows")
    one, two = [_key(value) for value in first], [_key(value) for value in second]
    if not one:
        return None
    n = len(one)
    observed = sum(a == b for a, b in zip(one, two, strict=True)) / n
    shares, others = Counter(one), Counter(two)
    expected = sum(count * others[value] for value, count in shares.items()) / n**2
    return _beyond(observed, expected)


def fleiss_kappa(rows: Iterable[Sequence[Any]]) -> float | None:
    """Agreement of any annotators, the same number a row; None where chance explains it all."""
    counted = [Counter(map(_key, row)) for row in rows]
    sizes = {counts.total() for counts in counted}
    if not counted or len(sizes) > 1 or min(sizes) < 2:
        raise ValueError("each row needs the same number of values, two or more")
    raters = sizes.pop()
    pairs = raters * (raters - 1)
    per_row = [sum(c * (c - 1) for c in counts.values()) / pairs for counts in counted]
    totals = sum(counted, Counter[str]())
    every = totals.total()
    expected = sum((count / every) ** 2 for count in totals.values())
    return _beyond(sum(per_row) / len(counted), expected)


def krippendorff_alpha(rows: Iterable[Sequence[Any]], level: Level = "nominal") -> float | None:
    """Agreement of any annotators with values missing anywhere: 1 - D_o / D_e.

    Rows with fewer than two values pair with nothing and are left out. `interval` wants numbers
    and weighs a difference by its square. None where nothing varies.
    """
    units = [row for row in rows if len(row) > 1]
    if level == "interval":
        if not all(type(value) in (int, float) for row in units for value in row):
            raise ValueError("the interval level needs numbers")
        return _interval_alpha(units)
    observed = sum(_unlike(Counter(map(_key, row))) / (len(row) - 1) for row in units)
    totals = sum((Counter(map(_key, row)) for row in units), Counter[str]())
    n = totals.total()
    expected = _unlike(totals) / (n - 1) if n > 1 else 0.0
    return 1 - observed / expected if expected else None


def _unlike(counts: Counter[str]) -> int:
    """Ordered pairs of different values."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())


def _interval_alpha(units: list[Sequence[float]]) -> float | None:
    """Squared differences of all pairs, from sums: n * sum(x²) - (sum x)², about the mean."""
    every = [value for row in units for value in row]
    if not every:
        return None
    mean = sum(every) / len(every)
    observed = sum(_spread(row, mean) / (len(row) - 1) for row in units)
    expected = _spread(every, mean) / (len(every) - 1)
    return 1 - observed / expected if expected else None


def _spread(values: Sequence[float], mean: float) -> float:
    moved = [value - mean for value in values]
    return 2 * (len(moved) * sum(value**2 for value in moved) - sum(moved) ** 2)


def _beyond(observed: float, expected: float) -> float | None:
    return None if expected == 1 else (observed - expected) / (1 - expected)


def agreement(given: Iterable[Annotations]) -> dict[str, Any]:
    """Every coefficient that the rows allow, by name, with the rows each one rests on.

    Cohen's for each pair over the rows both saw; Fleiss' where all rows have equally many values;
    Krippendorff's always, at the interval level too where all values are numbers. None is missing.
    """
    annotations = [{k: v for k, v in row.items() if v is not None} for row in given]
    rows = [list(row.values()) for row in annotations]
    names = sorted({name for row in annotations for name in row})
    found: dict[str, Any] = {"rows": len(rows), "annotators": names}
    cohen = {}
    for a, b in combinations(names, 2):
        both = [row for row in annotations if a in row and b in row]
        if both:
            kappa = cohen_kappa([row[a] for row in both], [row[b] for row in both])
            cohen[f"{a}, {b}"] = {"kappa": kappa, "n": len(both)}
    found["cohen_kappa"] = cohen
    if rows and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1:
        found["fleiss_kappa"] = fleiss_kappa(rows)
    found["krippendorff_alpha"] = krippendorff_alpha(rows)
    values = [value for row in rows for value in row]
    if values and all(type(value) in (int, float) for value in values):
        found["krippendorff_alpha_interval"] = krippendorff_alpha(rows, "interval")
    return found


def disagreements(rows: Iterable[tuple[str, Annotations]]) -> Iterator[Disagreement]:
    """The rows, given as (id, annotations), whose values are not all equal."""
    for name, given in rows:
        said: dict[str, list[str]] = {}
        for annotator, value in given.items():
            said.setdefault(_key(value), []).append(annotator)
        if len(said) > 1:
            ordered = sorted(said.items(), key=lambda item: -len(item[1]))
            yield Disagreement(name, dict(ordered))


def majority(annotations: Annotations) -> list[Any]:
    """The value given most often; several where they tie, in the order they were given."""
    counts = Counter(map(_key, annotations.values()))
    most = max(counts.values(), default=0)
    first: dict[str, Any] = {}
    for value in annotations.values():
        first.setdefault(_key(value), value)
    return [value for key, value in first.items() if counts[key] == most]


def _key(value: Any) -> str:
    """A value as text that equal values share: `1.0` is 1, a list is a set of labels."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = sorted(value)
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
