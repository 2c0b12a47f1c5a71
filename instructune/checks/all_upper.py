"""Every letter that has two cases is a capital, and there is such a letter.

IFEval's verifier also wants English by a guess that capitals lead astray; `response_language` is a
check of its own here.
"""

from __future__ import annotations

from instructune.records import Record


def check(answer: str, record: Record, options: None) -> str | None:
    """Why the answer fails, or None."""
    if not any(letter.isupper() for letter in answer):
        return "no capitals"
    small = next((letter for letter in answer if letter.islower()), None)
    return f"small letters, such as {small!r}" if small else None
