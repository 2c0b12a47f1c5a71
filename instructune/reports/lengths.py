"""How long answers are and why they ended, a line a side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from instructune.evaluating.predictions import Answer
from instructune.reports import drawing
from instructune.reports.drawing import Scale
from instructune.reports.pages import Html, heading, joined, note, table

_QUANTILES = {"least": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "most": 1.0}
_MOST = 10  # reasons


def sections(answers: Sequence[Answer], baseline: Sequence[Answer] | None) -> Iterator[Html]:
    """Characters of text answers, tokens where rows have `usage`, and finish reasons."""
    sides = {"now": answers} if baseline is None else {"before": baseline, "now": answers}
    tables = [
        _lengths("characters", {name: _characters(side) for name, side in sides.items()}),
        _lengths("tokens", {name: _tokens(side) for name, side in sides.items()}),
        _reasons(sides),
    ]
    if any(tables):
        yield heading("Lengths of answers and why they ended")
        yield joined(tables)


def _characters(answers: Sequence[Answer]) -> list[int]:
    return [len(a.prediction) for a in answers if isinstance(a.prediction, str)]


def _tokens(answers: Sequence[Answer]) -> list[int]:
    """Of the answers that tell them."""
    told = (a.row.get("usage") for a in answers)
    counts = (usage.get("completion_tokens") for usage in told if isinstance(usage, dict))
    return [count for count in counts if type(count) is int and 0 <= count < 1 << 53]


def _lengths(unit: str, sides: Mapping[str, list[int]]) -> Html:
    found = {name: lengths for name, lengths in sides.items() if lengths}
    most = max((max(lengths) for lengths in found.values()), default=0)
    rows = []
    for name, lengths in found.items():
        # the value of a row, so that no text is 12.5 characters long
        spread = np.quantile(lengths, list(_QUANTILES.values()), method="lower").tolist()
        quantiles = dict(zip(_QUANTILES, map(int, spread), strict=True))
        ends = (quantiles["10 %"], quantiles["90 %"])
        drawn = drawing.interval(Scale(0, most), quantiles["median"], ends)
        rows.append({unit: name, "": drawn} | quantiles | {"answers": len(lengths)})
    return table(rows, name="cards") if rows else Html("")


def _reasons(sides: Mapping[str, Sequence[Answer]]) -> Html:
    counts = {
        name: Counter(str(a.row["finish_reason"]) for a in side if "finish_reason" in a.row)
        for name, side in sides.items()
    }
    whole = sum(counts.values(), Counter[str]())
    rows: list[dict[str, Any]] = [
        {"finish reason": reason} | {name: counts[name][reason] for name in sides}
        for reason, _ in sorted(whole.items(), key=lambda item: (-item[1], item[0]))
    ]
    if not rows:
        return Html("")
    more = [note(f"and {len(rows) - _MOST:,} more reasons")] if len(rows) > _MOST else []
    return joined([table(rows[:_MOST]), *more])
