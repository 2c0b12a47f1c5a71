"""What a run answers to records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from instructune.configs import GenerateConfig
from instructune.stages.generate import generate
from tests.tuning import write_rows


def answers(
    folder: Path, rows: list[dict[str, Any]], run: str = "run", **given: Any
) -> list[dict[str, Any]]:
    """The prediction rows that `run` of the folder makes of records."""
    data, out = write_rows(folder / "ask.jsonl", rows), folder / "out.jsonl"
    settings = {"overwrite": True, "format": "record"} | given
    generate(GenerateConfig((data,), str(folder / run), str(out), **settings), lambda event: None)
    return [json.loads(line) for line in out.read_text().splitlines()]
