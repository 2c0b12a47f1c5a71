"""Drawings of numbers as SVG inside a page: bars, intervals on a scale, a reliability diagram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from instructune.reports.pages import Html, element, text

_ROW, _LABEL, _BAR = 20, 220, 360  # pixels
_WIDTH, _HEIGHT, _EDGE = 150, 22, 6  # of an interval
_SQUARE, _BELOW, _MARGIN = 260, 56, 34  # of a reliability diagram


class Scale(NamedTuple):
    """The numbers at both ends of a drawing."""

    low: float
    high: float

    def place(self, number: float, width: float) -> float:
        """Where the number is, in pixels; what lies beyond an end is drawn on it."""
        share = (number - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(width * min(1.0, max(0.0, share)), 1)


def drawing(width: int, height: int, title: str, *parts: Html) -> Html:
    """An SVG of the parts; the title is what a screen reader says of it."""
    return element(
        "svg",
        *parts,
        role="img",
        aria_label=title,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
    )


def label(x: float, y: float, said: object, **more: object) -> Html:
    """Words in a drawing."""
    return element("text", said, x=x, y=y, **more)


def bars(values: Mapping[str, int]) -> Html:
    """A bar for each value, with its number."""
    most = max(values.values(), default=0) or 1
    parts = []
    for place, (name, value) in enumerate(values.items()):
        y = place * _ROW
        width = round(_BAR * value / most, 1)
        shown = name if len(name) <= 30 else f"{name[:29]}…"
        parts += [
            label(_LABEL - 8, y + 14, shown, text_anchor="end"),
            element("rect", x=_LABEL, y=y + 3, width=width, height=_ROW - 6),
            label(_LABEL + width + 6, y + 14, f"{value:,}"),
        ]
    told = ", ".join(f"{name} {value:,}" for name, value in values.items())
    return drawing(_LABEL + _BAR + 80, len(values) * _ROW, told, *parts)


def interval(
    scale: Scale,
    value: float | None,
    ci95: Sequence[float] | None,
    *,
    baseline: float | None = None,
    chance: float | None = None,
    tone: str = "",
) -> Html:
    """A dot with its interval on the scale, a tick for the baseline, a broken one for chance."""

    def x(number: float) -> float:
        return _EDGE + scale.place(number, _WIDTH - 2 * _EDGE)

    middle = _HEIGHT / 2
    parts = [element("line", class_="axis", x1=_EDGE, x2=_WIDTH - _EDGE, y1=middle, y2=middle)]
    if scale.low < 0 < scale.high:
        parts.append(_tick("axis", x(0), 2))
    if ci95:
        low, high = x(ci95[0]), x(ci95[1])
        width = round(max(1.0, high - low), 1)
        kind = f"band {tone}".strip()
        parts.append(element("rect", class_=kind, x=low, y=6, width=width, height=10, rx=2))
    if chance is not None:
        parts.append(_tick("chance", x(chance), 3))
    if baseline is not None:
        parts.append(_tick("before", x(baseline), 4))
    if value is not None:
        parts.append(element("circle", class_=f"dot {tone}".strip(), cx=x(value), cy=middle, r=4))
    return drawing(_WIDTH, _HEIGHT, "interval", *parts)


def _tick(name: str, x: float, edge: int) -> Html:
    return element("line", class_=name, x1=x, x2=x, y1=edge, y2=_HEIGHT - edge)


def sign(name: str) -> Html:
    """A mark by itself, for a key: dot, before or chance of `interval`, else a box of that tone."""
    box = element("rect", class_=name or None, x=0, y=6, width=24, height=10, rx=2)
    marks = {
        "dot": element("circle", class_="dot", cx=12, cy=11, r=4),
        "before": _tick("before", 12, 4),
        "chance": _tick("chance", 12, 3),
    }
    return drawing(24, _HEIGHT, name or "bar", marks.get(name, box))


def key(signs: Mapping[str, str]) -> Html:
    """What each mark means."""
    parts = [element("span", sign(name), said) for name, said in signs.items()]
    return element("div", *parts, class_="key")


def heat(counts: Sequence[Sequence[int]]) -> Html:
    """A matrix of counts as cells, the fuller the larger the share of the row; hits are green."""
    size = max(2, min(12, 640 // max(1, len(counts[0]))))
    cells = []
    for i, line in enumerate(counts):
        total = sum(line) or 1
        for j, count in enumerate(line):
            if count:
                # by the root, or a label's rarer mistakes could not be seen
                shade = f"{0.03 + 0.97 * math.sqrt(count / total):.2f}"
                name, x, y = ("good" if i == j else "bad"), j * size, i * size
                cells.append(
                    element("rect", class_=name, x=x, y=y, width=size, height=size, opacity=shade)
                )
    width, height = len(counts[0]) * size, len(counts) * size
    frame = _box("paper", 0, 0, width, height)
    return drawing(width, height, "confusion matrix", frame, *cells)


def shares(parts: Sequence[tuple[str, int]], tones: Mapping[str, str]) -> Html:
    """One bar of counts side by side, each in its tone."""
    total, x = sum(count for _, count in parts) or 1, 0.0
    boxes = []
    for name, count in parts:
        width = _WIDTH * count / total
        tone = tones.get(name)
        boxes.append(_box(tone or "", round(x, 1), 4, round(width, 1), 14))
        x += width
    told = ", ".join(f"{name} {count:,}" for name, count in parts)
    return drawing(_WIDTH, _HEIGHT, told, *boxes)


def reliability(bins: Sequence[Mapping[str, Any]]) -> Html:
    """How often the top label is right by the chance it was given, over how many rows are there.

    Bins as `ece` tells them. On the diagonal chances are what they say.
    """
    most = max((one["n"] for one in bins), default=1)
    parts = [_frame()]
    for one in bins:
        low, high = (round(_MARGIN + _SQUARE * one[end], 1) for end in ("low", "high"))
        right, sure = (round(_SQUARE * one[name], 1) for name in ("accuracy", "confidence"))
        width = round(max(1.0, high - low - 1), 1)
        both, apart = min(right, sure), round(abs(right - sure), 1)
        kind = "gap" if sure > right else "band"
        rows = round(_BELOW * 0.7 * one["n"] / most, 1)
        told = element(
            "title",
            f"chance {one['low']:.2f} to {one['high']:.2f}: {one['n']:g} rows, "
            f"{one['confidence']:.3f} sure, {one['accuracy']:.3f} right",
        )
        base = _SQUARE + _BELOW
        parts += [
            element("g", told, _box("", low, _SQUARE - both, width, both)),
            _box(kind, low, _SQUARE - both - apart, width, apart),
            _box("second", low, round(base - rows, 1), width, rows),
        ]
    parts.append(_diagonal())
    return drawing(_SQUARE + _MARGIN + 10, _SQUARE + _BELOW + 34, "reliability diagram", *parts)


def _box(name: str, x: float, y: float, width: float, height: float) -> Html:
    return element("rect", class_=name or None, x=x, y=round(y, 1), width=width, height=height)


def _diagonal() -> Html:
    ends = {"x1": _MARGIN, "y1": _SQUARE, "x2": _MARGIN + _SQUARE, "y2": 0}
    return element("line", class_="chance", **ends)


def _frame() -> Html:
    base = _SQUARE + _BELOW
    parts = [
        element("line", class_="axis", x1=_MARGIN, x2=_MARGIN + _SQUARE, y1=y, y2=y)
        for y in (0, _SQUARE / 2, _SQUARE, base)
    ]
    for share in (0, 0.5, 1):
        x, y = _MARGIN + _SQUARE * share, _SQUARE * (1 - share)
        parts.append(label(_MARGIN - 6, max(10, y + 4), f"{share:g}", text_anchor="end"))
        parts.append(label(x, base + 15, f"{share:g}", text_anchor="middle"))
    middle = _MARGIN + _SQUARE / 2
    parts.append(label(middle, base + 31, "chance given", class_="small", text_anchor="middle"))
    parts.append(label(_MARGIN + 6, 14, "share right", class_="small"))
    parts.append(label(_MARGIN + 6, _SQUARE + 14, "rows", class_="small"))
    return element("g", *map(text, parts))
