"""The loss of instruction tuning against TRL's, on batches of real chats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.configs import TrainConfig
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from tests.tuning import chats, train_run, work_of, write_rows

SAMPLES = Path(__file__).parents[2] / "data/samples"


def test_only_answers_and_the_token_that_ends_them_are_learned(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", chats(1))
    work = work_of(TrainConfig(data=(data,), model="tiny-llama"))
    text = "<|im_start|>user\n1<|im_end|>\n<|im_start|>assistant\n1<|im_end|>\n"
    batch = work.data.batch([0], pad_id=256)
    assert work.tokenizer.decode(batch.input_ids[0].tolist(), keep_special=True) == text
    learned = batch.targets[batch.weights > 0].tolist()
    assert learned == [ord("1"), 258]
    assert batch.units == 2


def test_the_loss_by_hand(tmp_path: Path) -> None:
    data = write_rows(tmp_path / "data.jsonl", chats(3) + [{**chats(4)[3], "weight": 0.5}])
    work = work_of(TrainConfig(data=(data,), model="tiny-llama"))
    model = load_model(work.model, dtype=torch.float32, seed=1)
    expected = 0.0
    for row in range(4):
        start, end = work.data.starts[row : row + 2]
        ids = torch.tensor(work.data.ids[start:end]).long()
        with torch.no_grad():
            scores = model(ids[None]).logits[0].log_softmax(-1)
        for place, weight in enumerate(work.data.weights[start:end]):
            if weight:
                expected -= weight * float(scores[place - 1, ids[place]])
    batch = work.data.batch([0, 1, 2, 3], pad_id=256)
    assert batch.units == 2 + 3 + 4 + 0.5 * 2  # answers of one to three characters, and their ends
    with torch.no_grad():
        assert work.objective.loss(model)(batch).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tiny-llama", "tiny-gpt2"])
def test_equals_trl(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRL_EXPERIMENTAL_SILENCE"):
        monkeypatch.setenv(variable, "1")
    trl = pytest.importorskip("trl")
    from datasets import Dataset
    from transformers import AutoTokenizer

    lines = (SAMPLES / "messages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    rows = [row for row in rows if row["messages"][-1]["role"] == "assistant"]
    data = write_rows(tmp_path / "data.jsonl", rows[:8])
    # a trained model has logits of a real size
    given = {"learning_rate": 0.01, "steps": 4, "max_length": 4096}
    train_run(tmp_path, model=name, data=(data,), **given)
    work = work_of(TrainConfig(data=(data,), model=str(tmp_path / "run")))
    model: Any = load_model(resolve(str(tmp_path / "run")), dtype=torch.float32)

    ends = work.data.starts
    dataset = Dataset.from_list(
        [
            {
                "input_ids": work.data.ids[a:b].tolist(),
                "completion_mask": [int(w > 0) for w in work.data.weights[a:b]],
            }
            for a, b in zip(ends, ends[1:], strict=False)
        ]
    )
    trainer = trl.SFTTrainer(
        model=load_model(resolve(str(tmp_path / "run")), dtype=torch.float32),
        args=trl.SFTConfig(
            output_dir=str(tmp_path / "trl"),
            bf16=False,
            gradient_checkpointing=False,
            max_length=None,
            completion_only_loss=True,
            use_cpu=True,
            report_to="none",
        ),
        train_dataset=dataset,
        processing_class=AutoTokenizer.from_pretrained(tmp_path / "run/model"),
    )
    inputs = trainer.data_collator([trainer.train_dataset[i] for i in range(len(work.data))])
    batch = work.data.batch(list(range(len(work.data))), pad_id=work.pad_id)
    assert int((inputs["labels"] != -100).sum()) == batch.units
    trainer.model.train()
    theirs = trainer.compute_loss(trainer.model, inputs)
    ours = work.objective.loss(model.train())(batch) / batch.units
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    ours.backward()
    theirs.backward()
    wanted = dict(trainer.model.named_parameters())
    for key, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[key].grad, rtol=1e-4, atol=1e-6)
