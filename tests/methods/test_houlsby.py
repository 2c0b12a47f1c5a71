"""Networks behind the layers that end attention and feed-forward parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.architectures import Head
from instructune.errors import Exit
from tests.method_cases import Case, check, differs, layers, refused, wrong


@pytest.mark.parametrize("width", [1, 4])
def test_it_has_the_size_of_its_formula(width: int) -> None:
    assert Case(f"houlsby:width={width}").count == 4 * (2 * 64 * width + width + 64)


@pytest.mark.parametrize("preset", ["tiny-llama", "tiny-gpt2", "tiny-bert", "tiny-t5"])
def test_it_learns_and_comes_back(preset: str, tmp_path: Path) -> None:
    kinds = {"tiny-bert": "masked", "tiny-t5": "seq2seq"}
    case = Case("houlsby:width=4", preset, Head(kinds.get(preset, "causal")))
    assert case.logits().equal(case.logits(case.base))
    check(case, tmp_path / "adapter", plain=False)


def test_activation() -> None:
    assert differs("houlsby:width=4", "houlsby:width=4,activation=gelu")


def test_options_that_make_no_sense() -> None:
    wrong("houlsby:width=0", "method 'houlsby': width must be at least 1, got 0")
    wrong("houlsby:activation=relo", "method 'houlsby': activation cannot be 'relo'")


def test_where_they_stand() -> None:
    assert layers("houlsby") == {"o_proj", "down_proj"}
    assert layers("houlsby", preset="tiny-gpt2") == {"c_proj"}
    assert layers("houlsby", preset="tiny-t5", head=Head("seq2seq")) == {"o", "wo"}
    names = Case("houlsby", "tiny-bert", Head("masked")).trained
    ends = {name.partition(".bottleneck")[0].partition(".layer.")[2][2:] for name in names}
    assert ends == {"attention.output.dense", "output.dense"}


def test_target_modules() -> None:
    assert layers("houlsby:target_modules=o_proj") == {"o_proj"}
    with refused(Exit.USAGE, "method 'houlsby': no layer is named 'o_prog'"):
        Case("houlsby:target_modules=o_prog")
