"""Why the model said it: attributions, attention and nearest rows of predictions as one page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from instructune.attribution.explanations import Explanation, facts, strongest
from instructune.errors import visible
from instructune.reports.pages import Html, element, heading, joined, note, page, table

_COLUMNS = 60  # of a heat map
_CELL, _MARGIN = 16, 96  # pixels


def explained(name: str, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A document with a section for each prediction row, which must hold an explanation."""
    return page(f"Why: {name}", map(_section, rows))


def _section(row: Mapping[str, Any]) -> Html:
    explanation: Explanation = row["explanation"]
    sample = f", sample {row['sample']}" if row.get("sample") else ""
    target = f"{explanation['method']}: {explanation['target']}"
    parts = [
        heading(f"{row.get('id')}{sample}"),
        element("p", _with_ends(str(row.get("prediction"))), class_="answer"),
        note(f"{target}. {facts(explanation)}"),
    ]
    if explanation.get("tokens"):
        parts.append(_coloured(explanation))
    if explanation.get("map"):
        parts += _heat_map(explanation)
    if top := strongest(explanation):
        parts.append(table([{"token": _shown(t), "value": f"{v:+.4g}"} for t, v in top]))
    if near := explanation.get("neighbours"):
        parts.append(table([_neighbour(one) for one in near]))
    return element("section", *parts)


def _coloured(explanation: Explanation) -> Html:
    """The tokens as running text, each on a colour for its value, which a pointer shows."""
    values = explanation["values"]
    most = max(map(abs, values)) or 1
    spans = (
        element(
            "span",
            _with_ends(text),
            style=f"background:{_colour(value / most)}",
            title=f"{value:+.4g}",
        )
        for text, value in zip(explanation["tokens"], values, strict=True)
    )
    return element("p", joined(spans), class_="tokens")


def _colour(share: float) -> str:
    """One colour for what speaks for the answer, one for what speaks against it; -1 to 1."""
    base = "--bar-fill" if share >= 0 else "--bad-fill"
    return f"rgb(var({base}) / {min(1.0, abs(share)) * 0.7:.3f})"


def _heat_map(explanation: Explanation) -> list[Html]:
    """A row for each answer token; the tokens that are looked at most, in the prompt's order."""
    rows: list[list[float]] = explanation["map"]
    tokens: list[str] = explanation["tokens"]
    sums = [sum(column) for column in zip(*rows, strict=True)]
    shown = sorted(sorted(range(len(tokens)), key=lambda i: -sums[i])[:_COLUMNS])
    most = max((row[i] for row in rows for i in shown), default=0) or 1
    cells = []
    for x, i in enumerate(shown):
        turned = f"translate({_MARGIN + x * _CELL + 11} {_MARGIN - 6}) rotate(-90)"
        cells.append(element("text", _label(tokens[i]), transform=turned))
    for y, (text, row) in enumerate(zip(explanation["answer"], rows, strict=True)):
        top = _MARGIN + y * _CELL
        cells.append(element("text", _label(text), x=_MARGIN - 6, y=top + 12, text_anchor="end"))
        for x, i in enumerate(shown):
            told = element("title", f"{_shown(text)} → {_shown(tokens[i])}: {row[i]:.4g}")
            fill = _colour(max(0.0, row[i] / most) ** 0.5)  # a few tokens take most of it
            cells.append(
                element(
                    "g",
                    told,
                    element(
                        "rect",
                        x=_MARGIN + x * _CELL,
                        y=top,
                        width=_CELL - 1,
                        height=_CELL - 1,
                        style=f"fill:{fill}",
                    ),
                )
            )
    width, height = _MARGIN + len(shown) * _CELL, _MARGIN + len(rows) * _CELL
    left = len(tokens) - len(shown)
    part = f", but for {left} columns that are looked at least" if left else ""
    drawing = element("svg", *cells, role="img", width=width, height=height, class_="map")
    return [
        element("div", drawing, class_="wide"),
        note(
            f"Rows: the answer's tokens; columns: what each looked at{part}. Colour: square root."
        ),
    ]


def _neighbour(row: Mapping[str, Any]) -> dict[str, str]:
    names = ("id", "similarity", "prompt", "answer", "origin")
    return {name: str(row.get(name, "")) for name in names}


def _shown(text: str) -> str:
    """A token as text that shows its blanks."""
    return visible(text).replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣") or "·"


def _label(text: str) -> str:
    short = _shown(text)
    return short if len(short) <= 12 else f"{short[:11]}…"


def _with_ends(text: str) -> str:
    """A text whose line ends are seen, and broken at."""
    return visible(text).replace("\n", "↵\n") or "·"
