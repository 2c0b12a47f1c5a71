"""Keys and values before the text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.method_cases import Case, check, differs, wrong


@pytest.mark.parametrize("tokens", [1, 5])
def test_it_has_the_size_of_its_formula(tokens: int) -> None:
    assert Case(f"prefix:virtual_tokens={tokens}").count == tokens * 2 * 2 * 32


def test_projection_and_hidden(tmp_path: Path) -> None:
    spec = "prefix:virtual_tokens=5,projection=true,hidden=8"
    assert Case(spec).count == 5 * 32 + (32 * 8 + 8) + (8 * 128 + 128)
    check(Case(spec), tmp_path / "adapter")


def test_options_that_make_no_sense() -> None:
    wrong("prefix:virtual_tokens=0", "method 'prefix': virtual_tokens must be at least 1, got 0")
    wrong("prefix:hidden=0", "method 'prefix': hidden must be at least 1, got 0")
    assert not differs("prefix:virtual_tokens=5", "prefix:virtual_tokens=5,hidden=8")
