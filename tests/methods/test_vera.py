"""Vectors that scale shared random matrices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.method_cases import LAYERS, LINEAR, Case, check, differs, drops, layers, wrong


@pytest.mark.parametrize("rank", [1, 8])
def test_it_has_the_size_of_its_formula(rank: int) -> None:
    assert Case(f"vera:rank={rank}").count == sum(rank + rows for rows, _ in LAYERS)


def test_it_learns_and_comes_back(tmp_path: Path) -> None:
    check(Case("vera:rank=8"), tmp_path / "adapter")


@pytest.mark.parametrize("option", ["initial=0.5", "key=1"])
def test_what_it_begins_with(option: str) -> None:
    assert differs("vera:rank=8", f"vera:rank=8,{option}")


def test_dropout() -> None:
    assert drops("vera:rank=8,dropout=0.5,initial=1")
    assert not drops("vera:rank=8,initial=1")


def test_target_modules() -> None:
    assert layers("vera:rank=8,target_modules=q_proj+up_proj") == {"q_proj", "up_proj"}
    assert layers("vera:rank=8") == LINEAR


def test_options_that_make_no_sense() -> None:
    wrong("vera:rank=0", "method 'vera': rank must be at least 1, got 0")
    wrong("vera:key=-1", "method 'vera': key must be at least 0, got -1")
    wrong("vera:initial=0", "method 'vera': initial must be above 0, got 0.0")
    wrong("vera:dropout=1", "method 'vera': dropout must be from 0 to below 1, got 1.0")
