"""Embeddings before the text."""

from __future__ import annotations

import pytest

from tests.method_cases import Case, differs, wrong


@pytest.mark.parametrize("tokens", [1, 5])
def test_it_has_the_size_of_its_formula(tokens: int) -> None:
    assert Case(f"prompt:virtual_tokens={tokens}").count == tokens * 64


def test_init() -> None:
    words = Case("prompt:virtual_tokens=5")
    table = words.base.get_input_embeddings().weight
    (first,) = words.trained.values()
    assert all((table == row).all(1).any() for row in first)
    (other,) = Case("prompt:virtual_tokens=5,init=random").trained.values()
    assert not any((table == row).all(1).any() for row in other)
    assert differs("prompt", "prompt:init=random")


def test_options_that_make_no_sense() -> None:
    wrong("prompt:virtual_tokens=0", "method 'prompt': virtual_tokens must be at least 1, got 0")
    wrong("prompt:init=zero", "method 'prompt': init cannot be 'zero'")
