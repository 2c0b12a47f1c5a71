"""One network behind each block."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.architectures import Head
from tests.method_cases import Case, check, differs, layers, wrong


@pytest.mark.parametrize("width", [1, 4])
def test_it_has_the_size_of_its_formula(width: int) -> None:
    assert Case(f"pfeiffer:width={width}").count == 2 * (2 * 64 * width + width + 64)


@pytest.mark.parametrize("preset", ["tiny-llama", "tiny-gpt2", "tiny-bert", "tiny-t5"])
def test_it_learns_and_comes_back(preset: str, tmp_path: Path) -> None:
    kinds = {"tiny-bert": "masked", "tiny-t5": "seq2seq"}
    case = Case("pfeiffer:width=4", preset, Head(kinds.get(preset, "causal")))
    assert case.logits().equal(case.logits(case.base))
    check(case, tmp_path / "adapter", plain=False)


def test_activation() -> None:
    assert differs("pfeiffer:width=4", "pfeiffer:width=4,activation=gelu")


def test_options_that_make_no_sense() -> None:
    wrong("pfeiffer:width=0", "method 'pfeiffer': width must be at least 1, got 0")
    wrong("pfeiffer:activation=relo", "method 'pfeiffer': activation cannot be 'relo'")


def test_where_they_stand() -> None:
    assert layers("pfeiffer") == {"0", "1"}
    names = Case("pfeiffer", "tiny-t5", Head("seq2seq")).trained
    places = {name.partition(".bottleneck")[0] for name in names}
    assert places == {f"{stack}.block.{i}" for stack in ("encoder", "decoder") for i in (0, 1)}
