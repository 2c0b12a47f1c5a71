"""Rows and their copies, as `prepare` marks them."""

from __future__ import annotations

from typing import Any

from instructune.evaluating.predictions import Answer


def copied(*families: tuple[str, list[Any]], by: str = "noise") -> list[Answer]:
    """Families of `(reference, [prediction, predictions of copies…])`."""
    made = []
    for number, (reference, predictions) in enumerate(families):
        for copy, prediction in enumerate(predictions):
            row: dict[str, Any] = {"id": f"r{number}"}
            if copy:
                row = {"id": f"r{number}~{by}{copy}", "augmented": by, "group": f"r{number}"}
            made.append(Answer(prediction, [reference], "text", row))
    return made
