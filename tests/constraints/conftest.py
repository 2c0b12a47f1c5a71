"""What every test of a rule does: all constraints of a prompt, without their evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from instructune.constraints import extract


@pytest.fixture
def read() -> Callable[[str], list[tuple[str, dict[str, Any]]]]:
    """The checks that a prompt states, with their args."""
    return lambda prompt: [(item.check, item.args) for item in extract(prompt)]
