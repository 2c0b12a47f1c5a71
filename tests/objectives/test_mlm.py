"""mlm: what is hidden and how much, the loss of it, and masks that are filled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from instructune.configs import TrainConfig
from instructune.errors import UserError
from instructune.models import load_model
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

CLS, SEP, MASK = 257, 258, 259
TEXT = "one two three four five six seven eight nine ten " * 4


def work_on(folder: Any, *texts: str, objective: str = "mlm", **given: Any) -> Any:
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    data = write_rows(folder / "data.jsonl", rows)
    settings = {"model": "tiny-bert"} | given
    return work_of(TrainConfig(data=(data,), objective=objective, **settings))


def test_a_share_of_the_tokens_is_hidden_replaced_or_left(tmp_path):
    work = work_on(tmp_path, TEXT, objective="mlm:rate=0.3")
    counts = np.zeros(3)
    for draw in range(60):
        batch = work.data.batch([0], work.pad_id, draw)
        plain = work.data.columns["ids"].of(0)
        assert batch.targets[0].tolist() == plain.tolist()
        chosen = batch.weights[0] > 0
        words = sum(not chr(i).isspace() for i in plain[1:-1])
        assert batch.units == round(0.3 * words)
        assert not chosen[0]
        assert not chosen[-1]
        shown, true = batch.input_ids[0][chosen], batch.targets[0][chosen]
        counts += [(shown == MASK).sum(), ((shown != MASK) & (shown != true)).sum(), 0]
        counts[2] += batch.units
        assert (batch.input_ids[0][~chosen] == batch.targets[0][~chosen]).all()
        assert ((shown == MASK) | (shown < 256)).all()
    assert counts[0] / counts[2] == pytest.approx(0.8, abs=0.03)
    assert counts[1] / counts[2] == pytest.approx(0.1, abs=0.03)


def test_masks_are_new_each_time_and_the_same_each_run(tmp_path):
    work = work_on(tmp_path, TEXT, "x" + TEXT)
    first, again = (work.data.batch([0, 1], work.pad_id, 1) for _ in range(2))
    assert torch.equal(first.input_ids, again.input_ids)
    other = work.data.batch([0, 1], work.pad_id, 2)
    assert not torch.equal(first.input_ids, other.input_ids)
    alone = work.data.batch([1], work.pad_id, 1)
    assert torch.equal(alone.weights[0], first.weights[1])
    seeded = work_on(tmp_path, TEXT, "x" + TEXT, seed=1).data.batch([0, 1], work.pad_id, 1)
    assert not torch.equal(first.input_ids, seeded.input_ids)


def test_whole_words(tmp_path):
    objective = "mlm:rate=0.5,whole_words=true,mask=1,random=0"
    work = work_on(tmp_path, "abc def ghi jkl", objective=objective)
    batch = work.data.batch([0], work.pad_id, 3)
    shown = work.tokenizer.decode(batch.input_ids[0].tolist(), keep_special=True)
    assert shown.count("[MASK]" * 3) == 2
    assert batch.units == 6


def test_long_texts_are_cut_into_pieces(tmp_path):
    work = work_on(tmp_path, "abcdefgh", "x", max_length=5)
    ids = [work.data.columns["ids"].of(i).tolist() for i in range(len(work.data))]
    assert ids == [
        [CLS, *b"abc", SEP],
        [CLS, *b"def", SEP],
        [CLS, *b"gh", SEP],
        [CLS, *b"x", SEP],
    ]
    assert work.counts["encoding"] == {"pieces of long texts, added": 2}


def test_the_loss_is_that_of_transformers(tmp_path):
    work = work_on(tmp_path, TEXT, "short")
    net: Any = load_model(work.model, dtype=torch.float32, seed=1, head=work.role.head)
    batch = work.data.batch([0, 1], work.pad_id, 5)
    labels = batch.targets.masked_fill(batch.weights == 0, -100)
    wanted = net(batch.input_ids, attention_mask=batch.attention_mask, labels=labels).loss
    found = work.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("objective", "given", "reason"),
    [
        ("mlm:rate=1", {}, "rate must be between 0 and 1, got 1.0"),
        ("mlm:mask=0.9,random=0.2", {}, "mask and random are shares of a whole"),
        ("mlm", {"model": "tiny-llama"}, "its tokenizer has no mask token"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, objective, given, reason):
    with pytest.raises(UserError, match=reason):
        work_on(tmp_path, "a", objective=objective, **given)


def test_it_learns_and_fills_masks(tmp_path):
    write_rows(tmp_path / "data.jsonl", [{"id": "1", "text": "abcd"}])
    train_run(tmp_path, model="tiny-bert", objective="mlm:rate=0.3", steps=80, learning_rate=0.003)
    asked = [{"id": "1", "text": "a[MASK]c[MASK]"}, {"id": "2", "text": "ab"}]
    found, plain = answers(tmp_path, asked)
    assert found["prediction"] == "abcd"
    assert [token for token, _ in found["token_logprobs"]] == ["b", "d"]
    assert all(value < 0 for _, value in found["token_logprobs"])
    assert plain["error"] == "holds no [MASK] to fill"


def test_perplexity_falls_by_half(tmp_path):
    """Held-out masks of a sample text, before and after."""
    rows = [{"id": str(i), "text": TEXT[i : i + 60]} for i in range(40)]
    write_rows(tmp_path / "data.jsonl", rows)
    held_out = write_rows(tmp_path / "eval.jsonl", rows[:8])
    told: list[Any] = []
    given = {"model": "tiny-bert", "objective": "mlm", "eval_data": held_out, "eval_every": 1}
    train_run(tmp_path, told.append, steps=60, learning_rate=0.003, **given)
    losses = [event["eval_loss"] for event in told if event["event"] == "eval"]
    assert min(losses) < losses[0] - 0.7  # e ** -0.7 is a half
