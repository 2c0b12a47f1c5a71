"""Products of two low-rank updates."""

from __future__ import annotations

import pytest

from instructune.errors import Exit
from tests.method_cases import (
    Case,
    low_rank,
    refused,
)


@pytest.mark.parametrize("rank", [1, 4])
def test_it_has_the_size_of_its_formula(rank: int) -> None:
    assert Case(f"loha:rank={rank}").count == 2 * low_rank(rank)


def test_layers_it_cannot_update() -> None:
    with refused(Exit.MISMATCH, "method 'loha' does not fit gpt2 models"):
        Case("loha", "tiny-gpt2")
