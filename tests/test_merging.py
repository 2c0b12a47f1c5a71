"""merging: adapters of all kinds worked into a model with a head, and those that cannot be."""

from __future__ import annotations

from pathlib import Path

import peft
import pytest

from instructune.architectures import Head
from instructune.errors import Exit
from instructune.merging import merged
from tests.method_cases import Case, assert_near, refused


@pytest.mark.parametrize("spec", ["lora:rank=4", "loha:rank=4", "ia3"])
def test_heads_and_poolers_are_the_trained_ones(spec: str, tmp_path: Path) -> None:
    head = Head("sequence", ("a", "b", "c"), pad_id=256)
    case = Case(spec, "tiny-bert", head).train()
    found = merged(case.load(case.save(tmp_path / "adapter")), "run")
    assert type(found).__name__ == "BertForSequenceClassification"
    assert not any(isinstance(m, peft.tuners.tuners_utils.BaseTunerLayer) for m in found.modules())
    assert found.state_dict().keys() == case.base.state_dict().keys()
    assert not found.bert.pooler.dense.weight.equal(case.base.bert.pooler.dense.weight)
    assert_near(case.logits(found), case.logits(), 1e-5)


@pytest.mark.parametrize("spec", ["prefix", "prompt", "ptuning"])
def test_virtual_tokens_are_no_change_of_weights(spec: str, tmp_path: Path) -> None:
    case = Case(spec)
    with refused(Exit.MISMATCH, "run: its adapter is no change of weights"):
        merged(case.load(case.save(tmp_path / "adapter")), "run")
