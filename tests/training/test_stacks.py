"""stacks: where a model's blocks are, whatever they hold themselves."""

from __future__ import annotations

import pytest
import torch

from instructune.architectures import Head
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.training.stacks import stacks


@pytest.mark.parametrize(
    ("preset", "kind", "found"),
    [
        ("tiny-llama", "causal", {"model.layers": 2}),
        ("tiny-gpt2", "causal", {"transformer.h": 2}),
        ("tiny-bert", "sequence", {"bert.encoder.layer": 2}),
        # each block of T5 is a list itself
        ("tiny-t5", "seq2seq", {"encoder.block": 2, "decoder.block": 2}),
    ],
)
def test_the_outermost_lists(preset, kind, found):
    head = Head(kind, ("a", "b") if kind == "sequence" else ())
    model = load_model(resolve(preset), dtype=torch.float32, head=head)
    assert {name: len(stack) for name, stack in stacks(model).items()} == found


def test_a_model_without_blocks():
    assert stacks(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ModuleList())) == {}
