"""Embeddings before the text."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from instructune.architectures import Head
from instructune.configs import TrainConfig
from instructune.errors import Exit
from instructune.training.batches import Batch
from instructune.training.heads import supervised_loss
from tests.method_cases import MASK, Case, check, differs, refused, wrong
from tests.tuning import chats, work_of, write_rows


@pytest.mark.parametrize("tokens", [1, 5])
def test_it_has_the_size_of_its_formula(tokens: int) -> None:
    assert Case(f"prompt:virtual_tokens={tokens}").count == tokens * 64


@pytest.mark.parametrize("preset", ["tiny-llama", "tiny-gpt2"])
def test_it_learns_and_comes_back(preset: str, tmp_path: Path) -> None:
    check(Case("prompt:virtual_tokens=5", preset), tmp_path / "adapter")


def test_they_come_before_the_text_in_the_loss() -> None:
    """Of a batch of two lengths, the loss that peft itself computes."""
    case = Case("prompt:virtual_tokens=5").train()
    rows = torch.tensor([[7, 3, 90, 41, 5, 200], [11, 250, 6, 1, 256, 256]])
    targets, weights = rows.roll(-1, 1), torch.zeros(2, 6)
    weights[0, 2:5] = 1
    weights[1, 1:3] = 1
    labels = torch.full_like(rows, -100)
    labels[0, 3:], labels[1, 2:4] = rows[0, 3:], rows[1, 2:4]
    with torch.no_grad():
        ours = supervised_loss(case.model)(Batch(rows, MASK, targets, weights, [0, 1])) / 5
        theirs = case.model(input_ids=rows, attention_mask=MASK, labels=labels).loss
    torch.testing.assert_close(ours, theirs)


def test_they_take_room_from_the_text(tmp_path: Path) -> None:
    write_rows(tmp_path / "data.jsonl", chats(2))
    given = {"data": (str(tmp_path / "data.jsonl"),), "model": "tiny-llama"}
    assert work_of(TrainConfig(**given, method="prompt:virtual_tokens=5")).max_length == 4091
    with refused(Exit.USAGE, "virtual_tokens leave no room"):
        work_of(TrainConfig(**given, method="prompt:virtual_tokens=4096"))


def test_a_model_that_tells_the_end_of_a_text_by_its_tokens() -> None:
    head = Head("sequence", ("a", "b"), pad_id=256)
    with refused(Exit.MISMATCH, "method 'prompt' does not fit llama models: as classifiers these"):
        Case("prompt", "tiny-llama", head)


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
