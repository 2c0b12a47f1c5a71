"""The facts of a profile as titled tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_VALUES = 15  # of a field
_CELLS = 20  # combinations of task, kind, language and length

Tables = dict[str, list[dict[str, Any]]]


def tables(facts: Mapping[str, Any]) -> Tables:
    """Lengths, counts of the values of fields, and combinations, from `Profile.facts()`."""
    found: Tables = {"Lengths": lengths(facts["lengths"])}
    for name, counts in facts["counts"].items():
        found[name.capitalize()] = _counted(name, counts, facts["rows"])
    cells = facts["coverage"]
    found["Task x kind x language x length of the prompt"] = cells[:_CELLS]
    return {title: rows for title, rows in found.items() if rows}


def lengths(spreads: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each length's sum and quantiles."""
    return [
        {"": name, "sum": spread["sum"]}
        | {_quantile(q): value for q, value in spread["quantiles"].items()}
        for name, spread in spreads.items()
    ]


def mix(sources: list[dict[str, Any]], unit: str) -> list[dict[str, Any]]:
    """What each source gives of what it has, a row each."""
    rows = []
    for one in sources:
        told = {"source": one["source"], "share": f"{one['share']:.1%}"}
        told |= {"rows": one["rows"], "rows it has": one["of_rows"]}
        if unit != "rows":
            told |= {unit: one["size"], f"{unit} it has": one["of_size"]}
        rows.append(told)
    return rows


def clusters(largest: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The largest clusters of duplicates, a row each."""
    rows = []
    for one in largest:
        more = ["…"] if one["rows"] > len(one["dropped"]) + 1 else []
        told = {"kept": one["kept"], "rows": one["rows"], "least similarity": one["jaccard"]}
        rows.append(told | {"dropped": ", ".join([*one["dropped"], *more])})
    return rows


def _counted(name: str, counts: Mapping[str, int], rows: int) -> list[dict[str, Any]]:
    shown = dict(list(counts.items())[:_VALUES])
    if more := len(counts) - len(shown):
        shown[f"and {more} more"] = sum(counts.values()) - sum(shown.values())
    return [
        {name: value, "rows": count, "share": f"{count / rows:.1%}"}
        for value, count in shown.items()
    ]


def _quantile(q: str) -> str:
    return {"0": "least", "0.5": "median", "1": "most"}.get(q, f"{float(q):.0%}")
