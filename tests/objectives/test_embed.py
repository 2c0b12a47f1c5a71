"""embed: which texts are told apart, the loss by hand, and vectors that find each other."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.configs import TrainConfig
from instructune.errors import UserError
from instructune.models import load_model
from instructune.objectives.embed import vectors
from instructune.training.embeddings import segment_lengths
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

CLS, SEP, PAD = 257, 258, 256


def row(text: str, positive: str, *negatives: str, **more: Any) -> dict[str, Any]:
    found = {"text": text, "positive": positive} | more
    return found | ({"negatives": list(negatives)} if negatives else {})


ROWS = [row("a", "bc", weight=0.5), row("def", "g", "hi"), row("j", "bc")]


def work_on(folder: Any, rows: Any, objective: str = "embed", **given: Any) -> Any:
    data = write_rows(folder / "data.jsonl", rows)
    settings = {"model": "tiny-bert", "objective": objective, "format": "record"} | given
    return work_of(TrainConfig(data=(data,), **settings))


def test_the_texts_of_a_batch(tmp_path):
    work = work_on(tmp_path, ROWS)
    batch = work.data.batch([0, 1, 2], work.pad_id)
    assert batch.inputs["other_input_ids"].tolist() == [
        [CLS, *b"bc", SEP],
        [CLS, *b"g", SEP, PAD],
        [CLS, *b"bc", SEP],
        [CLS, *b"hi", SEP],
    ]
    assert batch.inputs["other_attention_mask"].sum(1).tolist() == [4, 3, 4, 4]
    assert (batch.targets.tolist(), batch.weights.tolist()) == ([0, 1, 2], [0.5, 1, 1])
    # the same text is no negative
    assert batch.inputs["equal"].nonzero().tolist() == [[0, 2], [2, 0]]
    assert work.data.groups([2, 0, 1], 1, 2) == [[2, 0], [1]]


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
@pytest.mark.parametrize("model", ["tiny-bert", "tiny-llama"])
def test_the_loss_by_hand(tmp_path, model, pooling):
    work = work_on(tmp_path, ROWS, f"embed:pooling={pooling},temperature=0.5", model=model)
    net: Any = load_model(work.model, dtype=torch.float32, seed=1, head=work.role.head)

    def vector(text: str) -> torch.Tensor:
        frame = work.tokenizer.frame
        ids = torch.tensor([[*frame.before, *text.encode(), *frame.after]])
        states = net(ids).last_hidden_state[0]
        found = {"mean": states.mean(0), "first": states[0], "last": states[-1]}[pooling]
        return found / found.norm()

    texts = [vector(text) for text in ("bc", "g", "bc", "hi")]
    wanted = 0.0
    for i, (text, weight, masked) in enumerate((("a", 0.5, 2), ("def", 1, None), ("j", 1, 0))):
        scores = torch.stack([vector(text) @ other / 0.5 for other in texts])
        if masked is not None:
            scores[masked] = -torch.inf
        wanted -= weight * scores.log_softmax(0)[i]
    batch = work.data.batch([0, 1, 2], work.pad_id)
    assert work.objective.loss(net)(batch).item() == pytest.approx(wanted.item(), rel=1e-5)


def test_a_step_is_one_pass_whatever_the_micro_batch(tmp_path):
    rows = [row(f"{i}", f"{i}{i}", id=str(i)) for i in range(8)]
    write_rows(tmp_path / "data.jsonl", rows)
    losses = []
    for size in (1, 4096):
        told: list[Any] = []
        given = {"model": "tiny-bert", "objective": "embed", "output": str(tmp_path / f"{size}")}
        train_run(tmp_path, told.append, steps=3, micro_batch_tokens=size, format="record", **given)
        losses.append([event["loss"] for event in told if event["event"] == "step"])
    assert losses[0] == losses[1]


@pytest.mark.parametrize(
    ("rows", "objective", "reason"),
    [
        ([{"text": "a"}], "embed", "jsonl:1: has no positive"),
        ([row("a", "b")], "embed:temperature=0", "temperature must be above 0"),
        ([row("a", "b")], "embed:pooling=max", "pooling"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, rows, objective, reason):
    with pytest.raises(UserError, match=reason):
        work_on(tmp_path, rows, objective)


def test_a_row_with_a_text_too_long_is_left_out_whole(tmp_path):
    rows = [row("a", "bcdef"), row("a", "b", "cdefg"), row("a", "b")]
    work = work_on(tmp_path, rows, max_length=5, overflow="drop")
    assert len(work.data) == 1
    assert work_on(tmp_path, rows, max_length=5, overflow="truncate-prompt").data.columns[
        "cuts"
    ].values.tolist() == [5, 3, 5, 3]


def test_it_learns_to_find(tmp_path):
    names = ["red", "green", "blue", "black"]
    rows = [row(name, name.upper(), id=name) for name in names]
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"model": "tiny-bert", "objective": "embed", "format": "record"}
    train_run(tmp_path, steps=60, learning_rate=0.003, **given)
    asked = [{"id": text, "text": text} for text in (*names, *map(str.upper, names))]
    found = torch.tensor([one["prediction"] for one in answers(tmp_path, asked)])
    assert found.norm(dim=1).tolist() == pytest.approx([1] * 8, abs=1e-5)
    assert (found[:4] @ found[4:].T).argmax(1).tolist() == [0, 1, 2, 3]


def test_vectors_do_not_depend_on_padding(tmp_path):
    work = work_on(tmp_path, ROWS)
    net: Any = load_model(work.model, dtype=torch.float32, head=work.role.head)
    short = torch.tensor([[CLS, 97, SEP]])
    padded = torch.tensor([[CLS, 97, SEP, PAD, PAD], [CLS, 97, 98, 99, SEP]])
    mask = torch.tensor([[1, 1, 1, 0, 0], [1] * 5])
    for pooling in ("mean", "first", "last"):
        alone, beside = vectors(net, short, None, pooling), vectors(net, padded, mask, pooling)
        torch.testing.assert_close(alone[0], beside[0])


def test_noise_minds_no_padding_of_the_other_texts(tmp_path):
    batch = work_on(tmp_path, ROWS).data.batch([0, 1, 2], PAD)
    found = segment_lengths(batch.inputs["other_input_ids"], batch)
    assert found[:, 0].tolist() == [4, 3, 4, 4]
    assert segment_lengths(batch.input_ids, batch)[:, 0].tolist() == [3, 5, 3]
