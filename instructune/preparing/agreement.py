"""Agreement of annotators over records as they pass, and the rows on which they do not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from instructune.preparing.annotators import (
    Annotations,
    Disagreement,
    agreement,
    as_text,
    disagreements,
)
from instructune.records import Record

_PAIRS = 50  # of annotators told, those that share the most rows
_LISTED = 50  # rows without agreement kept
_LENGTH = 200  # characters of a value


class Agreement:
    """Takes in records with `annotations`; equal rows are kept once, with their number."""

    def __init__(self, listed: int = _LISTED) -> None:
        """`listed` rows on which annotators disagree are kept, the others counted."""
        self._listed = listed
        self._counts: Counter[tuple[tuple[str, bool, str], ...]] = Counter()
        self._rows: list[Annotations] = []
        self.disagreements: list[Disagreement] = []
        self.disagreeing = 0

    def __bool__(self) -> bool:
        return bool(self._rows)

    def passing(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, looked at."""
        for record in records:
            if "annotations" in record:
                self.see(record)
            yield record

    def see(self, record: Record) -> None:
        """Take in a record; copies that a transform made repeat what was seen."""
        if "augmented" not in record:
            self.add(record["id"], record.get("annotations", {}))

    def add(self, name: str, annotations: Annotations) -> None:
        """Take in the annotations of the record of this id; None is missing."""
        given = {k: v for k, v in annotations.items() if v is not None}
        if not given:
            return
        key = tuple((k, type(v) is str, as_text(v)) for k, v in sorted(given.items()))
        if key not in self._counts:
            self._rows.append(given)
        self._counts[key] += 1
        for found in disagreements([(name, given)]):
            self.disagreeing += 1
            if len(self.disagreements) < self._listed:
                self.disagreements.append(found)

    def facts(self) -> dict[str, Any]:
        """The coefficients, and the first rows on which annotators disagree, as JSON."""
        found = agreement(self._rows, list(self._counts.values()))
        pairs = sorted(found["cohen_kappa"].items(), key=lambda pair: -pair[1]["n"])
        if len(pairs) > _PAIRS:
            found |= {"pairs": len(pairs), "cohen_kappa": dict(pairs[:_PAIRS])}
        found["disagreeing"] = self.disagreeing
        found["disagreements"] = [
            {
                "id": row.id,
                "values": [
                    {"value": value[:_LENGTH], "annotators": names}
                    for value, names in row.values.items()
                ],
            }
            for row in self.disagreements
        ]
        return found


def tables(facts: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """What `facts` says as titled tables for people: coefficients, pairs, disagreements."""
    over = {
        "krippendorff_alpha": "Krippendorff's alpha",
        "krippendorff_alpha_interval": "Krippendorff's alpha, interval",
        "fleiss_kappa": "Fleiss' kappa",
    }
    return {
        "Agreement of annotators": [
            {"coefficient": name, "value": _rounded(facts[key]), "rows": facts["compared"]}
            for key, name in over.items()
            if key in facts
        ],
        "Cohen's kappa by pair": [
            {"pair": pair, "kappa": _rounded(found["kappa"]), "rows": found["n"]}
            for pair, found in facts["cohen_kappa"].items()
        ],
        f"Disagreements: {facts['disagreeing']:,} of {facts['compared']:,} rows": [
            {"id": row["id"], "values": _told(row["values"])} for row in facts["disagreements"]
        ],
    }


def _rounded(value: float | None) -> float | str:
    return "undefined: all alike" if value is None else round(value, 4)


def _told(values: list[dict[str, Any]]) -> str:
    return "; ".join(f"{said['value']} ({', '.join(said['annotators'])})" for said in values)
