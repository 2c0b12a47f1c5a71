"""What all virtual tokens share: where they stand in the loss, and the room they take."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from instructune.architectures import Head
from instructune.configs import TrainConfig
from instructune.errors import Exit
from instructune.training.batches import Batch
from instructune.training.heads import supervised_loss
from tests.method_cases import MASK, Case, check, refused
from tests.tuning import chats, work_of, write_rows

NAMES = ("prefix", "prompt", "ptuning")


@pytest.mark.parametrize("preset", ["tiny-llama", "tiny-gpt2"])
@pytest.mark.parametrize("name", NAMES)
def test_they_learn_and_come_back(name: str, preset: str, tmp_path: Path) -> None:
    check(Case(f"{name}:virtual_tokens=5", preset), tmp_path / "adapter")


@pytest.mark.parametrize("name", NAMES)
def test_they_come_before_the_text_in_the_loss(name: str) -> None:
    """Of a batch of two lengths, the loss that peft itself computes."""
    case = Case(f"{name}:virtual_tokens=5").train()
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


@pytest.mark.parametrize("name", NAMES)
def test_they_take_room_from_the_text(name: str, tmp_path: Path) -> None:
    write_rows(tmp_path / "data.jsonl", chats(2))
    given = {"data": (str(tmp_path / "data.jsonl"),), "model": "tiny-llama"}
    assert work_of(TrainConfig(**given, method=f"{name}:virtual_tokens=5")).max_length == 4091
    with refused(Exit.USAGE, "virtual_tokens leave no room"):
        work_of(TrainConfig(**given, method=f"{name}:virtual_tokens=4096"))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_tells_the_end_of_a_text_by_its_tokens(name: str) -> None:
    head = Head("sequence", ("a", "b"), pad_id=256)
    if name == "prefix":  # nothing stands among the tokens themselves
        assert Case(name, "tiny-llama", head).train().logits().shape == (2, 2)
        return
    reason = f"method '{name}' does not fit llama models: as classifiers these"
    with refused(Exit.MISMATCH, reason):
        Case(name, "tiny-llama", head)
