"""Labels one by one: precision, recall and F1 of each, and which was taken for which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from instructune.reports import drawing, figures
from instructune.reports.drawing import Scale
from instructune.reports.pages import Html, element, folded, heading, joined, note, table

MOST_NUMBERED = 25  # labels of a heat map that has its numbers in it
MOST_DRAWN = 100  # labels of one that has only colours
MOST_LABELS = 100  # lines of the table
MOST_MISTAKES = 20
_LONGEST = 40  # characters of a label in a heat map
_FULL = 0.6  # how much colour a whole row in one cell has: numbers stay readable


def sections(summaries: Sequence[Mapping[str, Any]]) -> Iterator[Html]:
    """By the first metric over all rows that tells labels apart; nothing where none does."""
    found = [s.get("details") or {} for s in summaries if s["by"] is None]
    classes = next((d["per_class"] for d in found if "per_class" in d), None)
    matrix = next((d["confusion"] for d in found if "confusion" in d), None)
    if classes:
        yield heading("Labels")
        yield _classes(classes)
    if matrix:
        yield heading("Which label was taken for which")
        yield from _confusion(matrix)


def _classes(found: Mapping[str, Mapping[str, float]]) -> Html:
    ordered = sorted(found.items(), key=lambda item: (-item[1]["support"], item[0]))
    rows = [
        {"label": label, "": drawing.interval(Scale(0, 1), one["f1"], None)}
        | {title: figures.score("f1", one[name]) for title, name in _COLUMNS.items()}
        | {"rows": int(one["support"])}
        for label, one in ordered[:MOST_LABELS]
    ]
    shown = table(rows, right=tuple(_COLUMNS), name="slim")
    more = len(ordered) - len(rows)
    parts = [shown, note(f"and {more:,} rarer labels, in the summaries")] if more else [shown]
    return joined(parts) if len(rows) <= MOST_NUMBERED else folded("Each label", *parts)


_COLUMNS = {"F1": "f1", "precision": "precision", "recall": "recall"}


def _confusion(matrix: Mapping[str, Any]) -> Iterator[Html]:
    rows, columns, counts = matrix["rows"], matrix["columns"], matrix["counts"]
    yield note("True labels down, answers across; colour is the share of the true label's rows.")
    if len(columns) <= MOST_NUMBERED:
        yield _numbered(rows, columns, counts)
    elif len(columns) <= MOST_DRAWN:
        yield drawing.heat(counts)
    mistakes = sorted(
        (
            (count, true, columns[j])
            for true, line in zip(rows, counts, strict=True)
            for j, count in enumerate(line)
            if count and columns[j] != true
        ),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    shown = [
        {"true": true, "answered": answered, "rows": count}
        for count, true, answered in mistakes[:MOST_MISTAKES]
    ]
    if mistakes:
        counted = f"{len(shown)} of {len(mistakes):,}"
        yield folded(f"The commonest mistakes ({counted})", table(shown))


def _numbered(rows: Sequence[str], columns: Sequence[str], counts: Sequence[Sequence[int]]) -> Html:
    head = element("tr", element("th"), *(_head(label) for label in columns))
    lines = [head]
    for label, line in zip(rows, counts, strict=True):
        total = sum(line) or 1
        cells = [
            _cell(count, count / total, hit=name == label)
            for name, count in zip(columns, line, strict=True)
        ]
        lines.append(element("tr", _head(label, class_="row"), *cells))
    return element("div", element("table", joined(lines, "\n"), class_="heat"), class_="wide")


def _head(label: str, **more: object) -> Html:
    shown = label if len(label) <= _LONGEST else f"{label[: _LONGEST - 1]}…"
    return element("th", shown, title=label, **more)


def _cell(count: int, share: float, *, hit: bool) -> Html:
    if not count:
        return element("td", "·", class_="soft")
    fill = "good" if hit else "bad"
    colour = f"background: rgb(var(--{fill}-fill) / {_FULL * share:.2f})"
    return element("td", f"{count:,}", style=colour)
