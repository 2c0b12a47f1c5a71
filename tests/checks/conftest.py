"""What every test of a check does: run it by name with args as they stand in a record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from instructune.checking import failures
from instructune.records import Record


@pytest.fixture
def verdict() -> Callable[..., str | None]:
    """Why the answer fails the check, or None."""

    def verdict(check: str, answer: str | None, **args: Any) -> str | None:
        record = Record({"id": "1", "messages": [{"role": "user", "content": "do"}]})
        found = failures(answer, [{"check": check, "args": args}], record)
        return found[0].removeprefix(f"{check}: ") if found else None

    return verdict
