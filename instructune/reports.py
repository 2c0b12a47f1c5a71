"""A report as one HTML file that needs nothing else: tables, and bars drawn as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from instructune import agreement, overview

_STYLE = """
:root { color-scheme: light dark; --bar: #3b6ea5; --soft: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; margin: .5rem 0; }
td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } svg { display: block; max-width: 100%; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
svg rect { fill: var(--bar); } p.note { color: #888; }
"""
_ROW, _LABEL, _BAR = 20, 220, 360  # pixels
_CELLS = 40  # of a table of combinations


def page(title: str, parts: Iterable[str], head: str = "") -> bytes:
    """A whole document of parts made by the functions below; `head` is markup of its own."""
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n{head}<h1>{escape(title)}</h1>\n{body}\n</html>\n"
    ).encode()


def heading(text: str) -> str:
    """A section's title."""
    return f"<h2>{escape(text)}</h2>"


def note(text: str) -> str:
    """A line of explanation."""
    return f'<p class="note">{escape(text)}</p>'


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows as a table with the keys of the first as its head; numbers stand to the right."""
    if not rows:
        return note("none")
    head = "".join(_cell("th", key, rows[0][key]) for key in rows[0])
    lines = "".join(
        "<tr>" + "".join(_cell("td", row.get(key, ""), row.get(key)) for key in rows[0]) + "</tr>\n"
        for row in rows
    )
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{lines}</table></div>'


def bars(values: Mapping[str, int]) -> str:
    """A bar for each value, with its number."""
    most = max(values.values(), default=0) or 1
    lines = []
    for place, (name, value) in enumerate(values.items()):
        y = place * _ROW
        width = round(_BAR * value / most, 1)
        shown = name if len(name) <= 30 else f"{name[:29]}…"
        lines.append(
            f'<text x="{_LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(shown)}</text>'
            f'<rect x="{_LABEL}" y="{y + 3}" width="{width}" height="{_ROW - 6}"></rect>'
            f'<text x="{_LABEL + width + 6}" y="{y + 14}">{value:,}</text>'
        )
    size = f'width="{_LABEL + _BAR + 80}" height="{len(values) * _ROW}"'
    return f'<svg role="img" {size}>\n' + "\n".join(lines) + "\n</svg>"


def _cell(tag: str, text: Any, value: Any) -> str:
    kind = ' class="number"' if isinstance(value, int | float) else ""
    shown = f"{text:,}" if isinstance(text, int) else str(text)
    return f"<{tag}{kind}>{escape(shown)}</{tag}>"


def prepared(counts: Mapping[str, Any], profile: Mapping[str, Any]) -> bytes:
    """The report of `prepare`: where each row went, and what those that stayed are."""
    flow = {"rows in": counts["rows_in"]}
    for name in ("added", "rejected", "dropped"):
        flow |= {f"{name}: {cause}": count for cause, count in counts.get(name, {}).items()}
    flow["out"] = counts["out"]
    parts = [heading("Where each row went"), bars(flow)]
    for name, title in (("changed", "Changes"), ("formats", "Formats"), ("notes", "Notes")):
        if found := counts.get(name):
            parts += [heading(title), bars(found)]
    if found := counts.get("duplicate_clusters"):
        parts += [heading(f"{found['clusters']:,} clusters of duplicates")]
        parts += [note("rows of a cluster"), bars(found["sizes"])]
        parts += [note("the largest"), table(overview.clusters(found["largest"]))]
    if found := counts.get("agreement"):
        for title, rows in agreement.tables(found).items():
            parts += [heading(title), table(rows)]
    parts += [heading("Lengths"), table(overview.lengths(profile["lengths"]))]
    for name, spread in profile["lengths"].items():
        bins = spread["histogram"]
        parts += [note(name), bars({f"{b['from']}-{b['to']}": b["rows"] for b in bins})]
    for name, found in profile["counts"].items():
        parts += [heading(name.capitalize()), bars(found)]
    gaps = profile["gaps"]
    parts.append(note(f"{profile['duplicates']:,} rows say what an earlier one says"))
    parts += [heading("Coverage"), table(profile["coverage"][:_CELLS])]
    parts += [heading("No row at all"), table(gaps[:_CELLS])]
    if more := len(gaps[_CELLS:]):
        parts.append(note(f"and {more:,} other combinations of values that occur"))
    return page("instructune prepare", parts)
