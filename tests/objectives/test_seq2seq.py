"""seq2seq: inputs and outputs as the model reads them, the loss and answers of transformers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.configs import EvalConfig, TrainConfig
from instructune.errors import UserError
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.stages.eval import evaluate
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


def loss_of(net: Any, prompt: str, answer: str) -> float:
    """What transformers makes of it: the mean over the output's tokens, summed again."""
    labels = torch.tensor([[*answer.encode(), EOS]])
    with torch.no_grad():
        found = net(input_ids=torch.tensor([[*prompt.encode(), EOS]]), labels=labels)
    return found.loss.item() * labels.shape[1]


def test_references_and_labels_are_scored_as_transformers_does(trained):
    net: Any = load_model(resolve(str(trained / "run")), dtype=torch.float32, head=Head("seq2seq"))
    rows = [chat(word, word[::-1] + "?", id=word) for word in ("cde", "ab", "zz", "ghijkl", "f")]
    how: dict[str, Any] = {"score_references": True, "label_scores": "CDE,no,A", "dtype": "float32"}
    found = answers(trained, rows, max_new_tokens=0, **how)
    for row in found:
        word, told = row["id"], row["reference_logprob"]
        assert -told["sum"] == pytest.approx(loss_of(net, word, word[::-1] + "?"), abs=1e-5)
        assert (told["tokens"], told["bytes"]) == (len(word) + 2, len(word) + 1)
        assert list(row["label_scores"]) == ["CDE", "no", "A"]
        for label, score in row["label_scores"].items():
            assert -score == pytest.approx(loss_of(net, word, label), abs=1e-5)
    assert found[0]["prediction"] == "CDE"
    assert math.exp(found[0]["label_scores"]["CDE"]) > 0.5


def test_the_tokens_of_an_answer_add_up_to_its_score(trained):
    found = answers(trained, ASKED[:1], logprobs=True, dtype="float32", max_new_tokens=12)
    again = [chat("cde", found[0]["prediction"], id="cde")]
    (scored,) = answers(trained, again, score_references=True, dtype="float32", max_new_tokens=0)
    told = [value for _, value in found[0]["token_logprobs"]]
    assert sum(told) == pytest.approx(scored["reference_logprob"]["sum"], abs=1e-5)


def test_perplexity_and_calibration_of_what_was_scored(trained, tmp_path):
    rows = [chat(word, word.upper(), id=word) for word in ("ab", "cde", "f", "ghijkl")]
    how: dict[str, Any] = {"score_references": True, "label_scores": "AB,CDE,F,GHIJKL"}
    found = answers(trained, rows, max_new_tokens=0, **how)
    data, out = write_rows(tmp_path / "p.jsonl", found), tmp_path / "s.jsonl"
    names = ("perplexity", "bits_per_byte", "accuracy", "ece")
    told = evaluate(EvalConfig(data, output=str(out), metric=names)).summaries
    value = {row["metric"]: row["value"] for row in told}
    total = sum(row["reference_logprob"]["sum"] for row in found)
    tokens = sum(row["reference_logprob"]["tokens"] for row in found)
    assert value["perplexity"] == pytest.approx(math.exp(-total / tokens))
    assert value["bits_per_byte"] == pytest.approx(-total / math.log(2) / (tokens - 4))
    assert value["accuracy"] == 1
    assert 0 <= value["ece"] < 0.5


@pytest.mark.parametrize(
    ("row", "how", "reason"),
    [
        (chat("a" * 50, "b", id="1"), {"max_length": 20}, "the prompt is 51 tokens, more than 20"),
        (chat("a", "b" * 50, id="1"), {"max_length": 20}, "the answer is 51 tokens, more than 20"),
    ],
)
def test_a_side_that_is_too_long_is_not_scored(trained, row, how, reason):
    long, good = answers(trained, [row, chat("a", "b" * 19, id="2")], score_references=True, **how)
    assert long["error"] == reason
    assert good["reference_logprob"]["tokens"] == 20


@pytest.mark.parametrize(
    ("row", "how", "reason"),
    [
        (chat("a"), {"score_references": True}, "has no reference answer to score"),
        ({"text": "a"}, {"score_references": True}, "has no reference answer to score"),
        ({"text": "a"}, {"label_scores": "a,b"}, "has no turns that a label could answer"),
    ],
)
def test_what_has_no_answer_to_score_is_refused(trained, row, how, reason):
    with pytest.raises(UserError, match=reason):
        answers(trained, [row], **how)


@pytest.mark.parametrize("method", ["gradient", "integrated:steps=400", "occlusion"])
def test_an_output_is_explained_by_what_the_encoder_read(trained, method):
    how: dict[str, Any] = {"explain": method, "dtype": "float32"}
    (row,) = answers(trained, ASKED[:1], logprobs=True, max_new_tokens=12, **how)
    found, ended = row["explanation"], math.fsum(value for _, value in row["token_logprobs"])
    assert found["target"] == "log-probability of the answer, 4 tokens"
    assert "".join(found["tokens"]).startswith("cde")
    assert found["check"]["score"] == pytest.approx(ended, rel=1e-3)
    # where an answer is all but sure, gradients vanish; without a letter it is not
    assert method == "gradient" or min(found["values"][:3]) > 0
    (label,) = answers(trained, ASKED[:1], label_scores="CDE,AB", max_new_tokens=0, **how)
    score = label["explanation"]["check"]["score"]
    assert score == pytest.approx(label["label_scores"]["CDE"], rel=1e-3)


def test_what_an_output_changes_by_when_a_token_says_nothing(trained):
    (row,) = answers(
        trained, ASKED[:1], explain="occlusion:baseline=zero", dtype="float32", max_new_tokens=12
    )
    net: Any = load_model(resolve(str(trained / "run")), dtype=torch.float32, head=Head("seq2seq"))
    vectors = net.encoder.embed_tokens(torch.tensor([[*b"cde", EOS]])).detach()
    labels = torch.tensor([[*b"CDE", EOS]])
    whole = net(inputs_embeds=vectors, labels=labels).loss.item()
    vectors[0, 1] = 0
    without = net(inputs_embeds=vectors, labels=labels).loss.item()
    assert row["explanation"]["values"][1] == pytest.approx(4 * (without - whole), rel=2e-3)


def test_rows_like_what_the_encoder_read(trained):
    spec = f"neighbours:data={trained / 'data.jsonl'},k=2"
    (row,) = answers(trained, ASKED[:1], explain=spec, dtype="float32", max_new_tokens=12)
    near = row["explanation"]["neighbours"]
    assert (near[0]["id"], near[0]["answer"]) == ("cde", "CDE")
    assert near[0]["similarity"] == pytest.approx(1, abs=1e-3)
    assert near[1]["similarity"] < 0.999


def test_attention_goes_more_than_one_way(trained):
    with pytest.raises(UserError, match="t5 models look at a text in more than one way"):
        answers(trained, ASKED[:1], explain="attention", max_new_tokens=2)


def test_a_prompt_longer_than_the_model_takes(trained):
    long = answers(trained, [chat("a" * 50, id="1"), *ASKED[:1]], max_length=20, max_new_tokens=4)
    assert long[0]["error"] == "a prompt of 51 tokens is longer than 20"
    assert long[1]["finish_reason"] in ("stop", "length")
