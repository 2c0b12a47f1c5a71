"""Takes a pair of texts apart: two rows of one group, which `variant` tells apart as 1 and 2."""

from __future__ import annotations

from collections import Counter

from instructune.records import Record


class Transform:
    """For sentences that a model is to score one by one, such as those of CrowS-Pairs."""

    def __init__(self, options: None) -> None: ...

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The rows of a pair, each with all its other fields; any other record as it is."""
        if "texts" not in record:
            return [record]
        changes["pairs taken apart"] += 1
        rest = {key: value for key, value in record.items() if key != "texts"}
        rest.setdefault("group", record["id"])
        return [
            Record(rest | {"id": f"{record['id']}-{number}", "text": text, "variant": str(number)})
            for number, text in enumerate(record["texts"], 1)
        ]
