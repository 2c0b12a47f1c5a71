"""A constraint that was found: the check that verifies it and the words that state it."""

from __future__ import annotations

from typing import Any, NamedTuple


class Found(NamedTuple):
    """A check with its args, and the evidence: the text of the prompt that a rule matched."""

    check: str
    args: dict[str, Any]
    evidence: str

    def as_check(self) -> dict[str, Any]:
        """An entry of a record's `checks`."""
        return {"check": self.check, "args": self.args} if self.args else {"check": self.check}


def found(check: str, evidence: str, **args: Any) -> Found:
    """A constraint whose evidence is on one line."""
    return Found(check, args, " ".join(evidence.split()))
