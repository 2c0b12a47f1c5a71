"""clm: texts packed into blocks, each token learned once, and the loss of them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.configs import TrainConfig
from instructune.models import load_model
from instructune.training.embeddings import segment_lengths
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

END = 258


def work_on(folder: Any, *texts: Any, objective: str = "clm", **given: Any) -> Any:
    rows = [{"id": str(i), "text": t} if isinstance(t, str) else t for i, t in enumerate(texts)]
    data = write_rows(folder / "data.jsonl", rows)
    return work_of(TrainConfig((data,), "tiny-llama", objective=objective, **given))


def rows_of(work: Any) -> list[tuple[list[int], list[float]]]:
    columns = work.data.columns
    return [
        (columns["ids"].of(i).tolist(), columns["weights"].of(i).tolist())
        for i in range(len(work.data))
    ]


def test_blocks_overlap_by_the_token_that_the_next_begins_with(tmp_path):
    work = work_on(tmp_path, "abc", "de", "f", max_length=4)
    a, b, c, d, e, f = b"abcdef"
    assert rows_of(work) == [
        ([a, b, c, END], [0, 1, 1, 1]),
        ([END, d, e, END], [0, 0, 1, 1]),
        ([END, f, END], [0, 0, 1]),
    ]
    assert work.data.records == ["0", "1", "2"]
    batch = work.data.batch([0, 1, 2], work.pad_id)
    assert batch.inputs["segments"].tolist() == [[0] * 4, [0, 1, 1, 1], [0, 1, 1, 0]]
    assert work.counts["encoding"] == {"texts": 3, "blocks": 3}


def test_a_long_text_is_learned_whole_and_once(tmp_path):
    text = "".join(chr(97 + i % 26) for i in range(100))
    work = work_on(tmp_path, text, {"id": "x", "text": "yz", "weight": 0.5}, max_length=7)
    learned = [i for ids, weights in rows_of(work) for i, w in zip(ids, weights, strict=True) if w]
    assert learned == [*text.encode()[1:], END, *b"z", END]
    assert all(len(ids) <= 7 for ids, _ in rows_of(work))
    assert sum(weight for _, weights in rows_of(work) for weight in weights) == 100 + 2 * 0.5


def test_noise_knows_each_text_s_own_length(tmp_path):
    work = work_on(tmp_path, "abc", "de", max_length=20)
    batch = work.data.batch([0], work.pad_id)
    assert segment_lengths(batch.input_ids, batch).tolist() == [[4, 4, 4, 4, 3, 3, 3]]


def test_without_packing_a_row_is_a_text(tmp_path):
    work = work_on(tmp_path, "abc", "de", objective="clm:pack=false")
    assert rows_of(work) == [
        ([*b"abc", END], [0, 1, 1, 1]),
        ([*b"de", END], [0, 1, 1]),
    ]


def test_chats_as_the_template_renders_them(tmp_path):
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    work = work_on(tmp_path, {"messages": turns})
    text = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\nb<|im_end|>\n"
    assert work.tokenizer.decode(rows_of(work)[0][0], keep_special=True).startswith(text)


def test_the_loss_is_that_of_transformers(tmp_path):
    work = work_on(tmp_path, "abc", "defghi", max_length=20)
    net: Any = load_model(work.model, dtype=torch.float32, seed=1)
    batch = work.data.batch([0], work.pad_id)
    labels = batch.input_ids.clone()
    labels[0, 4] = -100  # the first token of the second text
    wanted = net(batch.input_ids, labels=labels).loss
    found = work.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)


def test_it_learns_and_goes_on(tmp_path):
    write_rows(tmp_path / "data.jsonl", [{"id": "1", "text": "abcdefgh" * 4}])
    train_run(tmp_path, objective="clm", steps=60, learning_rate=0.01)
    found = answers(tmp_path, [{"id": "1", "text": "abcd"}], max_new_tokens=6)
    assert found[0]["prediction"] == "efghab"
