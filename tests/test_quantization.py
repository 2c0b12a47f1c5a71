"""quantization: what a missing library or kernel leads to, and the file beside an adapter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from instructune import quantization
from instructune.errors import Exit
from instructune.training.optimizers import count
from tests.method_cases import Case, refused


@pytest.mark.parametrize("name", ["qlora", "loftq"])
def test_without_the_library_its_install_line_is_told(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    with refused(Exit.UNAVAILABLE, "pip install 'instructune[quant]'"):
        Case(name)


def test_without_a_kernel_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bnb = pytest.importorskip("bitsandbytes")

    def fail(*given: object) -> None:
        raise NotImplementedError("no kernel for cpu")

    monkeypatch.setattr(bnb.nn.Linear4bit, "forward", fail)
    with refused(Exit.UNAVAILABLE, "bitsandbytes cannot compute on cpu: no kernel for cpu"):
        Case("qlora")


def test_a_plain_adapter_has_no_such_file(tmp_path: Path) -> None:
    folder = Case("lora:rank=4").save(tmp_path / "adapter")
    assert not (folder / quantization.FILE).exists()


def test_the_file_is_what_transformers_reads(tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    from transformers import BitsAndBytesConfig

    folder = Case("qlora:rank=4").save(tmp_path / "adapter")
    config = BitsAndBytesConfig.from_dict(json.loads((folder / quantization.FILE).read_bytes()))
    assert config.load_in_4bit
    assert config.bnb_4bit_quant_type == "nf4"
    assert config.llm_int8_skip_modules == ["lm_head"]


def test_packed_weights_are_counted_as_what_they_stand_for() -> None:
    pytest.importorskip("bitsandbytes")
    quantised, plain = Case("qlora:rank=4"), Case("lora:rank=4")
    assert count(quantised.model.parameters()) == count(plain.model.parameters())
