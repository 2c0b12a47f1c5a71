"""The field `explanation` of predictions as lines for a terminal, and as one HTML page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from instructune import reports
from instructune.errors import visible

Explanation = Mapping[str, Any]

_TOP = 10  # tokens named with their values
_BAR = 20  # columns of the longest bar
_COLUMNS = 60  # of a heat map
_CELL, _MARGIN = 16, 96  # pixels

# nothing in the page is fetched or run, whatever the rows hold
_HEAD = """<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'">
<style>
h1, h2, p.note { overflow-wrap: anywhere; }
.tokens { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.9; }
.tokens span { border-radius: 3px; padding: .1em 0; }
.answer { white-space: pre-wrap; overflow-wrap: anywhere; border-left: 3px solid var(--soft);
 padding-left: .8rem; }
td { overflow-wrap: anywhere; white-space: pre-wrap; min-width: 3rem; }
svg { max-width: none; } svg .map text { font: 11px ui-monospace, monospace; }
section { border-bottom: 1px solid var(--soft); padding-bottom: 1rem; }
</style>
"""


def is_explanation(value: Any) -> bool:
    """Whether it is one that `generate --explain` could have written."""
    if not (_is(value, dict) and _is(value.get("method"), str) and _is(value.get("target"), str)):
        return False
    tokens, values = value.get("tokens", []), value.get("values", [])
    answer, rows = value.get("answer", []), value.get("map", [])
    near = value.get("neighbours", [])
    return (
        all(_is(found, list) for found in (tokens, values, answer, rows, near))
        and all(_is(text, str) for text in (*tokens, *answer))
        and _are_numbers(values, len(tokens))
        and len(rows) == len(answer)
        and all(_is(row, list) and _are_numbers(row, len(tokens)) for row in rows)
        and all(_is(row, dict) and _are_numbers([row.get("similarity")], 1) for row in near)
        and _is(value.get("check", {}), dict)
    )


def _is(value: Any, kind: type) -> bool:
    return type(value) is kind


def _are_numbers(values: Sequence[Any], count: int) -> bool:
    return len(values) == count and all(type(value) in (int, float) for value in values)


def lines(explanation: Explanation) -> list[str]:
    """For a terminal: what is explained, and the tokens that matter most, or the nearest rows."""
    found = [f"{explanation['method']}: {explanation['target']}"]
    if facts := _facts(explanation):
        found.append(facts)
    top = _strongest(explanation)
    most = max((abs(value) for _, value in top), default=0) or 1
    for text, value in top:
        found.append(f"{value:>+10.4g}  {'█' * round(_BAR * abs(value) / most):<{_BAR}}  {text!r}")
    for row in explanation.get("neighbours", ()):
        said = " -> ".join(str(row[name]) for name in ("prompt", "answer") if row.get(name))
        found.append(f"{row['similarity']:>10.4g}  {row.get('id')}  {' '.join(said.split())}")
    return found


def _facts(explanation: Explanation) -> str:
    """What was checked, or why there is nothing."""
    if "error" in explanation:
        return f"not explained: {explanation['error']}"
    return ", ".join(f"{name} {value}" for name, value in explanation.get("check", {}).items())


def _strongest(explanation: Explanation) -> list[tuple[str, float]]:
    """The tokens with the greatest values, as many as are shown."""
    pairs = zip(explanation.get("tokens", ()), explanation.get("values", ()), strict=True)
    return sorted(pairs, key=lambda pair: -abs(pair[1]))[:_TOP]


def page(name: str, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """A document with a section for each prediction row, which must hold an explanation."""
    parts = ["\n".join(_section(row)) for row in rows]
    return reports.page(f"Why: {visible(name)}", parts, _HEAD)


def _section(row: Mapping[str, Any]) -> list[str]:
    explanation: Explanation = row["explanation"]
    sample = f", sample {row['sample']}" if row.get("sample") else ""
    parts = ["<section>", reports.heading(visible(f"{row.get('id')}{sample}"))]
    target = f"{explanation['method']}: {explanation['target']}"
    parts += [f'<p class="answer">{_text(str(row.get("prediction")))}</p>']
    parts += [reports.note(visible(f"{target}. {_facts(explanation)}"))]
    if explanation.get("tokens"):
        parts += [_coloured(explanation)]
    if explanation.get("map"):
        parts += _heat_map(explanation)
    if top := _strongest(explanation):
        parts.append(reports.table([{"token": _shown(t), "value": f"{v:+.4g}"} for t, v in top]))
    if near := explanation.get("neighbours"):
        parts.append(reports.table([_neighbour(one) for one in near]))
    return [*parts, "</section>"]


def _coloured(explanation: Explanation) -> str:
    """The tokens as running text, each on a colour for its value, which a pointer shows."""
    values = explanation["values"]
    most = max(map(abs, values)) or 1
    spans = []
    for text, value in zip(explanation["tokens"], values, strict=True):
        how = f'style="background:{_colour(value / most)}" title="{value:+.4g}"'
        spans.append(f"<span {how}>{_text(text)}</span>")
    return f'<p class="tokens">{"".join(spans)}</p>'


def _colour(share: float) -> str:
    """Blue for what speaks for the answer, orange for what speaks against it; share -1 to 1."""
    base = "59 130 246" if share >= 0 else "234 120 20"
    return f"rgb({base} / {min(1.0, abs(share)) * 0.7:.3f})"


def _heat_map(explanation: Explanation) -> list[str]:
    """A row for each answer token; the tokens that are looked at most, in the prompt's order."""
    rows: list[list[float]] = explanation["map"]
    tokens: list[str] = explanation["tokens"]
    sums = [sum(column) for column in zip(*rows, strict=True)]
    shown = sorted(sorted(range(len(tokens)), key=lambda i: -sums[i])[:_COLUMNS])
    most = max((row[i] for row in rows for i in shown), default=0) or 1
    cells = []
    for x, i in enumerate(shown):
        at = _MARGIN + x * _CELL
        turned = f'transform="translate({at + 11} {_MARGIN - 6}) rotate(-90)"'
        cells.append(f"<text {turned}>{_label(tokens[i])}</text>")
    for y, (text, row) in enumerate(zip(explanation["answer"], rows, strict=True)):
        top = _MARGIN + y * _CELL
        place = f'x="{_MARGIN - 6}" y="{top + 12}" text-anchor="end"'
        cells.append(f"<text {place}>{_label(text)}</text>")
        for x, i in enumerate(shown):
            box = f'x="{_MARGIN + x * _CELL}" y="{top}" width="{_CELL - 1}" height="{_CELL - 1}"'
            fill = _colour(max(0.0, row[i] / most) ** 0.5)  # a few tokens take most of it
            told = f"{_text(text)} → {_text(tokens[i])}: {row[i]:.4g}"
            cells.append(f'<rect {box} style="fill:{fill}"><title>{told}</title></rect>')
    size = f'width="{_MARGIN + len(shown) * _CELL}" height="{_MARGIN + len(rows) * _CELL}"'
    left = len(tokens) - len(shown)
    part = f", but for {left} columns that are looked at least" if left else ""
    note = f"Rows: the answer's tokens; columns: what each looked at{part}. Colour: square root."
    body = f'<svg role="img" {size}><g class="map">{"".join(cells)}</g></svg>'
    return [f'<div class="wide">{body}</div>', reports.note(note)]


def _neighbour(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("id", "similarity", "prompt", "answer", "origin")
    return {name: visible(str(row.get(name, ""))) for name in names}


def _shown(text: str) -> str:
    """A token as text that shows its blanks."""
    return visible(text).replace("\n", "↵").replace("\t", "⇥").replace(" ", "␣") or "·"


def _label(text: str) -> str:
    short = _shown(text)
    return escape(short if len(short) <= 12 else f"{short[:11]}…")


def _text(text: str) -> str:
    """Text from a row as markup: nothing in it is a tag, and line ends are seen."""
    return escape(visible(text)).replace("\n", "↵\n") or "·"
