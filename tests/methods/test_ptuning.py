"""Embeddings before the text, by a network."""

from __future__ import annotations

import pytest

from tests.method_cases import Case, differs, wrong

MLP = (64 * 128 + 128) + (128 * 128 + 128) + (128 * 64 + 64)


@pytest.mark.parametrize("tokens", [1, 5])
def test_it_has_the_size_of_its_formula(tokens: int) -> None:
    assert Case(f"ptuning:virtual_tokens={tokens}").count == tokens * 64 + MLP


def test_hidden() -> None:
    expected = 5 * 64 + (64 * 8 + 8) + (8 * 8 + 8) + (8 * 64 + 64)
    assert Case("ptuning:virtual_tokens=5,hidden=8").count == expected


def test_encoder_layers_and_dropout() -> None:
    spec = "ptuning:virtual_tokens=5,hidden=8,encoder=lstm"
    one, two = (Case(f"{spec},layers={n}").count for n in (1, 2))
    assert two - one == 2 * 4 * (8 * 16 + 8 * 8 + 2 * 8)  # both directions of a second layer
    case = Case(f"{spec},dropout=0.5")
    assert case.model.prompt_encoder["default"].lstm_head.dropout == 0.5
    assert differs(spec, f"{spec},dropout=0.5")


def test_options_that_make_no_sense() -> None:
    wrong("ptuning:virtual_tokens=0", "method 'ptuning': virtual_tokens must be at least 1")
    wrong("ptuning:hidden=0", "method 'ptuning': hidden must be at least 1, got 0")
    wrong("ptuning:encoder=gru", "method 'ptuning': encoder cannot be 'gru'")
    wrong("ptuning:layers=3", "method 'ptuning': layers and dropout need encoder=lstm")
    wrong("ptuning:encoder=lstm,layers=0", "method 'ptuning': layers must be at least 1, got 0")
    wrong("ptuning:dropout=1", "method 'ptuning': dropout must be from 0 to below 1")
