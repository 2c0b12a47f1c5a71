"""encoded: a decoder's next tokens beside its encoder, against the model's own forward."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from instructune.answering.encoded import EncodedRows
from instructune.answering.running import rows_of
from instructune.architectures import Head
from instructune.fetching.modelfiles import resolve
from instructune.methods import methods
from instructune.models import load_model

PROMPTS = [[97, 98, 258], [99, 258], [100, 101, 102, 103, 258]]


@pytest.fixture(scope="module")
def model() -> Any:
    return load_model(resolve("tiny-t5"), dtype=torch.float32, seed=2, head=Head("seq2seq"))


def alone(model: Any, prompt: list[int], output: list[int]) -> torch.Tensor:
    """The next token's logits of one row, read whole."""
    told = torch.tensor([[model.config.decoder_start_token_id, *output]])
    return model(torch.tensor([prompt]), decoder_input_ids=told).logits[0, -1]


@torch.no_grad()
def test_steps_and_rows_that_go(model):
    rows = rows_of(model, PROMPTS)
    assert isinstance(rows, EncodedRows)
    assert not rows.joins
    logits = rows.change([], PROMPTS)
    for i, asked in enumerate(PROMPTS):
        torch.testing.assert_close(logits[i], alone(model, asked, []))
    logits = rows.step([5, 6, 7])
    torch.testing.assert_close(logits[1], alone(model, PROMPTS[1], [6]))
    assert rows.change([2, 0], []).numel() == 0
    logits = rows.step([8, 9])
    torch.testing.assert_close(logits[0], alone(model, PROMPTS[2], [7, 8]))
    torch.testing.assert_close(logits[1], alone(model, PROMPTS[0], [5, 9]))
    logits = rows.change([], PROMPTS[:1])
    torch.testing.assert_close(logits[0], alone(model, PROMPTS[0], []))


@pytest.mark.parametrize("spec", ["prompt", "ptuning:hidden=8", "prefix"])
@torch.no_grad()
def test_virtual_tokens_stand_before_each_row(spec):
    torch.manual_seed(1)
    plain = load_model(resolve("tiny-t5"), dtype=torch.float32, seed=2, head=Head("seq2seq"))
    before = alone(plain, PROMPTS[1], [])
    _, method, options = methods.configure(spec)
    adapted = method.apply(plain, dataclasses.replace(options, virtual_tokens=3)).eval()
    rows = rows_of(adapted, PROMPTS)
    logits = rows.change([], PROMPTS)
    assert not torch.allclose(logits[1], before, atol=1e-4)
    for i, asked in enumerate(PROMPTS):
        torch.testing.assert_close(logits[i], alone(adapted, asked, []))
    rows.step([5, 6, 7])
    rows.change([2, 1], [])
    logits = rows.step([8, 9])
    torch.testing.assert_close(logits[0], alone(adapted, PROMPTS[2], [7, 8]))
    torch.testing.assert_close(logits[1], alone(adapted, PROMPTS[1], [6, 9]))
