"""The report of `prepare`: what became of the rows, and what those are that stayed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instructune.preparing import agreement, overview
from instructune.reports.drawing import bars
from instructune.reports.pages import heading, note, page, table

_CELLS = 40  # of a table of combinations


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
    if found := counts.get("mix"):
        parts += [heading("Mix"), table(overview.mix(found["sources"], found["by"]))]
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
    parts += [heading("No row at all"), table(gaps[:_CELLS])] if gaps else []
    if more := len(gaps[_CELLS:]):
        parts.append(note(f"and {more:,} other combinations of values that occur"))
    return page("instructune prepare", parts)
