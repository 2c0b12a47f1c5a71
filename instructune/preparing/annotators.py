"""How far annotators agree, beyond chance, and where they do not.

Cohen (1960), Educational and Psychological Measurement 20(1), 37-46; Fleiss (1971), Psychological
Bulletin 76(5), 378-382; Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
Values are compared by equality: a list (several labels) is one value, `1` and `1.0` are equal.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, repeat
from typing import Any, Literal, NamedTuple

Annotations = Mapping[str, Any]
Counts = Sequence[int] | None
Level = Literal["nominal", "interval"]


class Disagreement(NamedTuple):
    """One row that was not annotated alike: the annotators by value, the most frequent first."""

    id: str
    values: dict[str, list[str]]


def cohen_kappa(first: Sequence[Any], second: Sequence[Any], counts: Counts = None) -> float | None:
    """Agreement of two annotators over the same rows; None where chance explains all there is.

    (p_o - p_e) / (1 - p_e), with p_e from each annotator's own shares. `counts`, here and below,
    tells how many rows each one given stands for.
    """
    if len(first) != len(second):
        raise ValueError("two annotators need values for the same rows")
    both = Counter[tuple[str, str]]()
    for a, b, count in zip(first, second, counts or repeat(1), strict=False):
        both[as_text(a), as_text(b)] += count
    if not both:
        return None
    n = both.total()
    shares, others = Counter[str](), Counter[str]()
    for (a, b), count in both.items():
        shares[a] += count
        others[b] += count
    observed = sum(count for (a, b), count in both.items() if a == b) / n
    expected = sum(count * others[value] for value, count in shares.items()) / n**2
    return _beyond(observed, expected)


def fleiss_kappa(rows: Iterable[Sequence[Any]], counts: Counts = None) -> float | None:
    """Agreement of any annotators, the same number a row; None where chance explains it all."""
    counted = [Counter(map(as_text, row)) for row in rows]
    often = counts or [1] * len(counted)
    sizes = {values.total() for values in counted}
    if not counted or len(sizes) > 1 or min(sizes) < 2:
        raise ValueError("each row needs the same number of values, two or more")
    raters = sizes.pop()
    alike, totals = 0, Counter[str]()
    for values, count in zip(counted, often, strict=True):
        alike += count * sum(c * (c - 1) for c in values.values())
        for value, c in values.items():
            totals[value] += c * count
    every = totals.total()
    expected = sum((count / every) ** 2 for count in totals.values())
    return _beyond(alike / (raters * (raters - 1)) / sum(often), expected)


def krippendorff_alpha(
    rows: Iterable[Sequence[Any]], level: Level = "nominal", counts: Counts = None
) -> float | None:
    """Agreement of any annotators with values missing anywhere: 1 - D_o / D_e.

    Rows with fewer than two values pair with nothing and are left out. `interval` wants numbers
    and weighs a difference by its square. None where nothing varies.
    """
    given = zip(rows, counts or repeat(1), strict=False)
    units = [(row, count) for row, count in given if len(row) > 1]
    if level == "interval":
        if not all(type(value) in (int, float) for row, _ in units for value in row):
            raise ValueError("the interval level needs numbers")
        return _interval_alpha(units)
    observed, totals = 0.0, Counter[str]()
    for row, count in units:
        values = Counter(map(as_text, row))
        observed += count * _unlike(values) / (len(row) - 1)
        for value, c in values.items():
            totals[value] += c * count
    n = totals.total()
    expected = _unlike(totals) / (n - 1) if n > 1 else 0.0
    return 1 - observed / expected if expected else None


def _unlike(counts: Counter[str]) -> int:
    """Ordered pairs of different values."""
    return counts.total() ** 2 - sum(count**2 for count in counts.values())


def _interval_alpha(units: list[tuple[Sequence[float], int]]) -> float | None:
    """Squared differences of all pairs, from sums: n * sum(x²) - (sum x)², about the mean."""
    n = sum(len(row) * count for row, count in units)
    if not n:
        return None
    mean = sum(sum(row) * count for row, count in units) / n
    observed = squares = moved = 0.0
    for row, count in units:
        about = [value - mean for value in row]
        total, square = sum(about), sum(value**2 for value in about)
        observed += count * 2 * (len(row) * square - total**2) / (len(row) - 1)
        moved, squares = moved + count * total, squares + count * square
    expected = 2 * (n * squares - moved**2) / (n - 1)
    return 1 - observed / expected if expected else None


def _beyond(observed: float, expected: float) -> float | None:
    return None if expected == 1 else (observed - expected) / (1 - expected)


def agreement(given: Iterable[Annotations], counts: Counts = None) -> dict[str, Any]:
    """Every coefficient that the rows allow, by name, with the rows each one rests on.

    Cohen's for each pair over the rows both saw; Fleiss' where all rows have equally many values;
    Krippendorff's always, at the interval level too where all values are numbers. None is missing.
    """
    annotations = [{k: v for k, v in row.items() if v is not None} for row in given]
    often = counts or [1] * len(annotations)
    rows = [list(row.values()) for row in annotations]
    found: dict[str, Any] = {
        "rows": sum(often),
        "compared": sum(count for row, count in zip(rows, often, strict=True) if len(row) > 1),
        "annotators": sorted({name for row in annotations for name in row}),
        "cohen_kappa": {
            f"{a}, {b}": {"kappa": cohen_kappa(one, two, shared), "n": sum(shared)}
            for (a, b), (one, two, shared) in sorted(_pairs(annotations, often).items())
        },
    }
    if rows and len({len(row) for row in rows}) == 1 and len(rows[0]) > 1:
        found["fleiss_kappa"] = fleiss_kappa(rows, often)
    found["krippendorff_alpha"] = krippendorff_alpha(rows, counts=often)
    values = [value for row in rows for value in row]
    if values and all(type(value) in (int, float) for value in values):
        found["krippendorff_alpha_interval"] = krippendorff_alpha(rows, "interval", often)
    return found


def _pairs(
    annotations: list[dict[str, Any]], often: Sequence[int]
) -> dict[tuple[str, str], tuple[list[Any], list[Any], list[int]]]:
    """What two annotators said of the rows that both saw, and how often that was."""
    found: dict[tuple[str, str], tuple[list[Any], list[Any], list[int]]] = {}
    for row, count in zip(annotations, often, strict=True):
        for a, b in combinations(sorted(row), 2):
            one, two, shared = found.setdefault((a, b), ([], [], []))
            one.append(row[a])
            two.append(row[b])
            shared.append(count)
    return found


def disagreements(rows: Iterable[tuple[str, Annotations]]) -> Iterator[Disagreement]:
    """The rows, given as (id, annotations), whose values are not all equal; None is missing."""
    for name, given in rows:
        said: dict[str, list[str]] = {}
        for annotator, value in given.items():
            if value is None:
                continue
            said.setdefault(as_text(value), []).append(annotator)
        if len(said) > 1:
            ordered = sorted(said.items(), key=lambda item: -len(item[1]))
            yield Disagreement(name, dict(ordered))


def majority(annotations: Annotations) -> list[Any]:
    """The value given most often; several where they tie, in the order they were given."""
    counts = Counter(map(as_text, annotations.values()))
    most = max(counts.values(), default=0)
    first: dict[str, Any] = {}
    for value in annotations.values():
        first.setdefault(as_text(value), value)
    return [value for key, value in first.items() if counts[key] == most]


def as_text(value: Any) -> str:
    """A value as text that equal values share: `1.0` is 1, a list is a set of labels."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = sorted(value)
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
