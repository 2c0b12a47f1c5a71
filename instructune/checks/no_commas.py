"""No comma of any script, thousands separators included; the Chinese 、 is none.

IFEval's verifier looks for the ASCII comma alone.
"""

from __future__ import annotations

import re

from instructune.records import Record

_COMMA = re.compile("[,，،﹐]")


def check(answer: str, record: Record, options: None) -> str | None:
    """Why the answer fails, or None."""
    count = len(_COMMA.findall(answer))
    return f"{count} commas" if count else None
