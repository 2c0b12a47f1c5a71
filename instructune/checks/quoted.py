"""The whole answer stands in double quotation marks, of any script.

IFEval's verifier also passes a pair of marks around nothing.
"""

from __future__ import annotations

from instructune.records import Record

_PAIRS = {'"': '"', "“": "”", "”": "”", "„": "“", "«": "»", "「": "」", "『": "』", "＂": "＂"}


def check(answer: str, record: Record, options: None) -> str | None:
    """Why the answer fails, or None."""
    text = answer.strip()
    if text[0] not in _PAIRS or text[-1] != _PAIRS[text[0]] or not text[1:-1].strip():
        return "not wrapped in quotation marks"
    return None
