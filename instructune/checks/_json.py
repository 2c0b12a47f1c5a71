"""The JSON of an answer, bare or in a Markdown fence: what the JSON checks share."""

from __future__ import annotations

import re
from typing import Any

from instructune.jsonl import loads

_FENCE = re.compile(r"```[^\S\n]*(?:json)?[^\S\n]*\n(.*?)\n?[^\S\n]*```", re.DOTALL | re.IGNORECASE)


def parsed(answer: str) -> Any:
    """The value; ValueError says why the answer, whole but for a fence, is not JSON."""
    text = answer.strip()
    fenced = _FENCE.fullmatch(text)
    return loads(fenced[1] if fenced else text)
