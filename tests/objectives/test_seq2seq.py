"""seq2seq: inputs and outputs as the model reads them, the loss and answers of transformers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.configs import TrainConfig
from instructune.errors import UserError
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

EOS, PAD = 258, 256


def chat(*said: str, **more: Any) -> dict[str, Any]:
    """Turns of user and assistant in turn."""
    roles = ("user", "assistant")
    turns = [{"role": roles[i % 2], "content": text} for i, text in enumerate(said)]
    return {"messages": turns} | more


def work_on(folder: Any, rows: Any, **given: Any) -> Any:
    data = write_rows(folder / "data.jsonl", rows)
    settings = {"model": "tiny-t5", "objective": "seq2seq"} | given
    return work_of(TrainConfig(data=(data,), **settings))


def sides(work: Any) -> list[tuple[str, str]]:
    return [
        tuple(work.tokenizer.decode(work.data.columns[n].of(i).tolist()) for n in ("ids", "output"))
        for i in range(len(work.data))
    ]


def test_each_answer_is_an_output(tmp_path):
    work = work_on(tmp_path, [chat("a", "bc", "d", "e", weight=0.5)])
    assert sides(work) == [("a", "bc"), ("a\nbc\nd", "e")]
    batch = work.data.batch([0, 1], work.pad_id)
    assert batch.input_ids.tolist() == [[97, EOS, *[PAD] * 5], [*b"a\nbc\nd", EOS]]
    assert batch.targets.tolist() == [[98, 99, EOS], [101, EOS, PAD]]
    assert batch.weights.tolist() == [[0.5] * 3, [0.5, 0.5, 0]]
    assert work.stops == [EOS]
    assert work.data.lengths.tolist() == [2 + 3, 7 + 2]
    last = work_on(tmp_path, [chat("a", "bc", "d", "e")], train_on="last")
    assert sides(last) == [("a\nbc\nd", "e")]


def test_a_template_where_the_model_has_one(tmp_path):
    work = work_on(tmp_path, [chat("a", "b")], template="chatml")
    text = "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
    ids = work.data.columns["ids"].of(0).tolist()
    assert work.tokenizer.decode(ids, keep_special=True) == text + "<|im_end|>"


def test_the_loss_is_that_of_transformers(tmp_path):
    work = work_on(tmp_path, [chat("abc", "cba"), chat("x", "yz"), chat("q", "r" * 9)])
    net: Any = load_model(work.model, dtype=torch.float32, seed=1, head=work.role.head)
    batch = work.data.batch([0, 1, 2], work.pad_id)
    labels = batch.targets.masked_fill(batch.weights == 0, -100)
    wanted = net(batch.input_ids, attention_mask=batch.attention_mask, labels=labels).loss
    found = work.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-6)
    parts = sum(work.objective.loss(net)(work.data.batch([i], work.pad_id)) for i in range(3))
    assert parts.item() / batch.units == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("overflow", "kept"),
    [
        ("drop", [("abc", "d")]),
        ("truncate-prompt", [("abcd", "e"), ("abc", "d")]),
        ("truncate-answer", [("f", "ghijk"), ("abc", "d")]),
    ],
)
def test_each_side_has_the_limit(tmp_path, overflow, kept):
    rows = [chat("abcdef", "e"), chat("f", "ghijklm"), chat("abc", "d")]
    work = work_on(tmp_path, rows, max_length=5, overflow=overflow)
    assert sides(work) == kept
    assert work.counts["encoding"]["longer than --max-length"] == 2
    assert len(work.dropped) == 3 - len(kept)
    with pytest.raises(UserError, match=r"2 rows are longer .* \(7 tokens\).* \(8 tokens\)"):
        work_on(tmp_path, rows, max_length=5)


@pytest.mark.parametrize(
    ("rows", "given", "reason"),
    [
        ([{"text": "a"}], {}, "jsonl:1: has no messages"),
        ([chat("a")], {}, "jsonl:1: has no answer to learn"),
        ([chat("a", "b")], {"train_on": "all"}, "--train-on: 'all' is for models without"),
        ([chat("a", "b")], {"overflow": "split"}, "--overflow: 'split' is for models without"),
        ([chat("a", "b")], {"model": "tiny-llama"}, "no llama model as an encoder-decoder"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, rows, given, reason):
    with pytest.raises(UserError, match=reason):
        load_model(
            (work := work_on(tmp_path, rows, **given)).model,
            dtype=torch.float32,
            head=work.role.head,
        )


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Any:
    folder = tmp_path_factory.mktemp("t5")
    rows = [chat(word, word.upper(), id=word) for word in ("ab", "cde", "f", "ghijkl")]
    write_rows(folder / "data.jsonl", rows)
    given = {"model": "tiny-t5", "objective": "seq2seq", "learning_rate": 0.01}
    train_run(folder, epochs=150.0, **given)
    return folder


ASKED = [chat(word, id=word) for word in ("cde", "ab", "zz", "ghijkl", "f")]


def test_it_learns_and_answers(trained):
    found = answers(trained, ASKED, max_new_tokens=12)
    said = {row["id"]: row["prediction"] for row in found}
    assert {k: said[k] for k in ("ab", "cde", "f", "ghijkl")} == {
        "ab": "AB",
        "cde": "CDE",
        "f": "F",
        "ghijkl": "GHIJKL",
    }
    assert found[0]["usage"] == {"prompt_tokens": 4, "completion_tokens": 3}


def test_the_answers_are_those_of_transformers(trained):
    files = resolve(str(trained / "run"))
    net: Any = load_model(files, dtype=torch.float32, head=Head("seq2seq"))
    found = answers(trained, ASKED, max_new_tokens=12, dtype="float32")
    for row in found:
        ids = torch.tensor([[*row["id"].encode(), EOS]])
        theirs = net.generate(ids, max_new_tokens=12, do_sample=False)[0].tolist()
        text = bytes(i for i in theirs if i < 256).decode("utf-8", "replace")
        assert row["prediction"] == text, row["id"]


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_samples_do_not_depend_on_the_batch(trained, batch_size):
    given = {"temperature": 1.5, "samples": 2, "dtype": "float32", "max_new_tokens": 8}
    alone = answers(trained, ASKED, batch_size=3, **given)
    assert len({row["prediction"] for row in alone}) > 5
    found = answers(trained, ASKED, batch_size=batch_size, **given)
    assert [row["prediction"] for row in found] == [row["prediction"] for row in alone]


def test_what_only_causal_models_have_is_refused(trained):
    for flag, given in (
        ("--score-references", {"score_references": True}),
        ("--label-scores", {"label_scores": "a,b"}),
        ("--explain", {"explain": "gradient"}),
    ):
        with pytest.raises(UserError, match=f"{flag}: is for other models"):
            answers(trained, ASKED, **given)


def test_a_prompt_longer_than_the_model_takes(trained):
    long = answers(trained, [chat("a" * 50, id="1"), *ASKED[:1]], max_length=20, max_new_tokens=4)
    assert long[0]["error"] == "a prompt of 51 tokens is longer than 20"
    assert long[1]["finish_reason"] in ("stop", "length")
