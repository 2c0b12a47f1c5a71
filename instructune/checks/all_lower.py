"""Every letter that has two cases is a small one, and there is such a letter.

IFEval's verifier also wants English; `response_language` is a check of its own here.
"""

from __future__ import annotations

from instructune.records import Record


def check(answer: str, record: Record, options: None) -> str | None:
    """Why the answer fails, or None."""
    if not any(letter.islower() for letter in answer):
        return "no small letters"
    capital = next((letter for letter in answer if letter.isupper() or letter.istitle()), None)
    return f"capitals, such as {capital!r}" if capital else None
