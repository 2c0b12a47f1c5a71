"""classify: what is read and learned of rows, its loss against transformers', its answers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.attribution.explanations import is_explanation
from instructune.configs import TrainConfig
from instructune.errors import UserError
from instructune.models import load_model
from instructune.records import Record
from tests.explaining import answered, headed
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

CLS, SEP = 257, 258


def texts(*labels: Any) -> list[dict[str, Any]]:
    return [
        {"id": str(i), "text": "abc"[: 1 + i % 3], "label": one} for i, one in enumerate(labels)
    ]


def work_on(
    folder: Path, rows: list[dict[str, Any]], objective: str = "classify", **given: Any
) -> Any:
    data = write_rows(folder / "data.jsonl", rows)
    settings = {"model": "tiny-bert", "objective": objective, "format": "record"} | given
    return work_of(TrainConfig(data=(data,), **settings))


def test_texts_pairs_and_chats(tmp_path):
    chat = [{"role": "user", "content": "q"}, {"role": "assistant", "content": " yes "}]
    rows = [
        {"text": "ab", "label": "no", "weight": 0.5},
        {"texts": ["a", "b"], "label": "yes"},
        {"messages": chat},
    ]
    work = work_on(tmp_path, rows)
    assert work.role.head.labels == ("no", "yes")
    batch = work.data.batch([0, 1, 2], pad_id=work.pad_id)
    assert batch.input_ids.tolist() == [
        [CLS, 97, 98, SEP, 256],
        [CLS, 97, SEP, 98, SEP],
        [CLS, 113, SEP, 256, 256],
    ]
    assert batch.inputs["token_type_ids"].tolist() == [[0] * 5, [0, 0, 0, 1, 1], [0] * 5]
    assert batch.targets.tolist() == [0, 1, 1]
    assert (batch.weights.tolist(), batch.units) == ([0.5, 1, 1], 2.5)
    single = work.data.batch([0], pad_id=work.pad_id)
    assert (single.attention_mask, single.inputs) == (None, {})


@pytest.mark.parametrize(
    ("labels", "options", "problem"),
    [
        (["a", "b", "c", "a"], "", "single_label_classification"),
        ([["a", "b"], [], ["c"], ["a"]], "", "multi_label_classification"),
        ([0.5, 2, -1, 3.25], "", "regression"),
    ],
)
@pytest.mark.parametrize("model", ["tiny-bert", "tiny-llama"])
def test_the_loss_is_that_of_transformers(tmp_path, model, labels, options, problem):
    work = work_on(tmp_path, texts(*labels), model=model)
    assert work.role.head.problem == problem
    net: Any = load_model(work.model, dtype=torch.float32, seed=3, head=work.role.head)
    batch = work.data.batch([0, 1, 2, 3], pad_id=work.pad_id)
    mask = batch.attention_mask
    wanted = net(input_ids=batch.input_ids, attention_mask=mask, labels=batch.targets).loss
    found = work.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)
    found.backward()
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad and p.ndim > 1)


def test_classes_that_count_alike(tmp_path):
    work = work_on(tmp_path, texts("a", "a", "a", "b"), "classify:class_weights=balanced")
    batch = work.data.batch([0, 1, 2, 3], pad_id=256)
    assert batch.weights.tolist() == pytest.approx([2 / 3, 2 / 3, 2 / 3, 2.0])
    several = work_on(
        tmp_path, texts(["a"], ["a"], ["a", "b"], []), "classify:class_weights=balanced"
    )
    net: Any = load_model(several.model, dtype=torch.float32, head=several.role.head)
    batch = several.data.batch([0, 1, 2, 3], pad_id=256)
    scores = net(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    wanted = torch.nn.functional.binary_cross_entropy_with_logits(
        scores, batch.targets, pos_weight=torch.tensor([1 / 3, 3.0])
    )
    found = several.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_focal_loss_is_less_for_what_is_sure(tmp_path):
    plain, focal = (
        work_on(tmp_path, texts("a", "b"), f"classify:loss={name}")
        for name in ("cross_entropy", "focal,gamma=3")
    )
    net: Any = load_model(plain.model, dtype=torch.float32, head=plain.role.head)
    one = plain.data.batch([0], pad_id=256)
    entropy = plain.objective.loss(net)(one).item()
    wanted = entropy * (1 - math.exp(-entropy)) ** 3
    assert focal.objective.loss(net)(one).item() == pytest.approx(wanted, rel=1e-5)


def test_labels_from_a_file_keep_their_order(tmp_path, write):
    names = write("labels.txt", "c\nb\na\n")
    work = work_on(tmp_path, texts("a", "b"), f"classify:labels={names}")
    assert work.role.head.labels == ("c", "b", "a")
    with pytest.raises(UserError, match=r"data.jsonl:2: the label 'd' is none of those"):
        work_on(tmp_path, texts("a", "d"), f"classify:labels={names}")


@pytest.mark.parametrize(
    ("rows", "objective", "reason"),
    [
        (texts("a", "a"), "classify", "there is only one label, 'a'"),
        (
            texts("a", ["b"]),
            "classify",
            "jsonl:2: its label is a list of labels, not one",
        ),
        ([{"text": "a"}], "classify", "data.jsonl:1: has no label and no answer"),
        (texts(1, 2), "classify:loss=focal", "a number has no classes, weights or focal loss"),
        (texts("a", "b"), "classify:loss=fokal", "loss cannot be 'fokal'"),
        (texts("a", "b"), "classify:class_weights=all", "class_weights cannot be 'all'"),
        (texts("a", "b"), "classify:threshold=1", "threshold between 0 and 1"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, rows, objective, reason):
    with pytest.raises(UserError, match=reason):
        work_on(tmp_path, rows, objective)


def test_a_label_that_only_the_evaluation_has(tmp_path):
    held_out = write_rows(tmp_path / "eval.jsonl", texts("a", "c"))
    with pytest.raises(UserError, match=r"eval.jsonl:2: the label 'c' is none of those"):
        work_on(tmp_path, texts("a", "b"), eval_data=held_out)


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("model", ["tiny-bert", "tiny-llama"])
def test_it_learns_and_answers(tmp_path, model, method):
    rows = texts(*"abc" * 8)
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"model": model, "objective": "classify", "method": method}
    train_run(tmp_path, epochs=20.0, learning_rate=0.003, **given)
    found = answers(tmp_path, rows[:3])
    assert [row["prediction"] for row in found] == ["a", "b", "c"]
    for row in found:
        scores = row["label_scores"]
        assert list(scores) == ["a", "b", "c"]
        assert sum(map(math.exp, scores.values())) == pytest.approx(1, abs=1e-5)
        assert row["finish_reason"] == "stop"


def test_several_labels_from_a_threshold_on_and_numbers(tmp_path):
    rows = texts(*[["a"], ["a", "b"], []] * 8)
    write_rows(tmp_path / "data.jsonl", rows)
    given = {"model": "tiny-bert", "learning_rate": 0.003, "epochs": 12.0, "format": "record"}
    train_run(tmp_path, objective="classify:threshold=0.4", **given)
    found = answers(tmp_path, rows[:3])
    assert [row["prediction"] for row in found] == [["a"], ["a", "b"], []]
    for row in found:
        likely = [label for label, score in row["label_scores"].items() if math.exp(score) >= 0.4]
        assert row["prediction"] == likely
    write_rows(tmp_path / "data.jsonl", texts(*[1.0, 2.0, 3.5] * 8))
    train_run(tmp_path, objective="classify", output=str(tmp_path / "numbers"), **given)
    found = answers(tmp_path, rows[:3], "numbers")
    assert [row["prediction"] for row in found] == pytest.approx([1, 2, 3.5], abs=0.3)
    assert "label_scores" not in found[0]


def test_a_text_that_is_too_long_is_an_error_unless_such_were_cut(tmp_path):
    write_rows(tmp_path / "data.jsonl", texts(*"ab" * 2))
    given = {"model": "tiny-bert", "objective": "classify", "steps": 1, "max_length": 5}
    train_run(tmp_path, **given)
    train_run(tmp_path, overflow="truncate-prompt", output=str(tmp_path / "cut"), **given)
    asked = [{"id": "1", "text": "a" * 5000}, {"id": "2", "text": "ab"}]
    long, short = answers(tmp_path, asked)
    assert (long["prediction"], long["finish_reason"]) == (None, "error")
    assert long["error"] == "the text is longer than 4096 tokens"
    assert short["prediction"] in ("a", "b")
    assert answers(tmp_path, asked, "cut")[0]["prediction"] in ("a", "b")


def test_a_head_is_gone_on_with(tmp_path):
    write_rows(tmp_path / "data.jsonl", texts(*"ba" * 4))
    given = {"objective": "classify", "steps": 2}
    train_run(tmp_path, model="tiny-bert", **given)
    work = work_on(tmp_path, texts("a", "b"), model=str(tmp_path / "run"))
    assert work.role.head.labels == ("b", "a")
    load_model(work.model, dtype=torch.float32, head=work.role.head)
    more = work_on(tmp_path, texts("a", "c"), model=str(tmp_path / "run"))
    assert more.role.head.labels == ("b", "a", "c")
    assert load_model(more.model, dtype=torch.float32, head=more.role.head).config.num_labels == 3


# what stands for an answer


ONE, SEVERAL = "single_label_classification", "multi_label_classification"
PAIR = {"texts": ["what is up", "an owl"]}


def logits_of(of: Any, second: int) -> torch.Tensor:
    """By the model's own arguments, of the pair."""
    ids = torch.tensor([of.answers.row(Record(PAIR | {"id": "1"})).ids])
    types = (torch.arange(ids.shape[1]) >= second).long()[None]
    with torch.no_grad():
        return of.model(input_ids=ids, token_type_ids=types).logits[0]


def test_the_answer_s_label_is_explained_as_it_was_read():
    """The second text's token types too, which alone tell the two apart."""
    of = headed("classify", Head("sequence", ("a", "b", "c"), ONE, 256))
    fields, target = answered(of, PAIR)
    assert target
    assert target.words == f"log-probability of {fields['prediction']!r}"
    ids = torch.tensor([target.row.ids] * 2)
    expected = fields["label_scores"][fields["prediction"]]
    assert target.score(of.model, ids).tolist() == pytest.approx([expected] * 2, abs=1e-5)
    second = 1 + len("what is up") + 1
    best = of.answers.head.labels.index(fields["prediction"])
    own = logits_of(of, second).log_softmax(-1)[best].item()
    assert own == pytest.approx(expected, abs=1e-5)
    other = logits_of(of, 99).log_softmax(-1)[best].item()
    assert other != pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("threshold", [1e-9, 0.5, 1 - 1e-9])
def test_of_several_labels_the_logits_of_those_given_together(threshold):
    of = headed("classify", Head("sequence", ("a", "b", "c"), SEVERAL, 256), threshold=threshold)
    fields, target = answered(of, PAIR)
    assert target
    scores = logits_of(of, 1 + len("what is up") + 1)
    given = fields["prediction"]
    told = given or [max(fields["label_scores"], key=fields["label_scores"].__getitem__)]
    expected = sum(scores["abc".index(label)].item() for label in told)
    value = target.score(of.model, torch.tensor([target.row.ids])).item()
    assert value == pytest.approx(expected, abs=1e-5)
    shown = ", ".join(map(repr, told))
    assert target.words == (
        f"logit of {shown}, the likeliest"
        if not given
        else f"sum of the logits of {shown}"
        if len(given) > 1
        else f"logit of {shown}"
    )
    assert bool(given) == (threshold < 0.9)


def test_a_number_is_its_own():
    of = headed("classify", Head("sequence", ("value",), "regression", 256))
    fields, target = answered(of, PAIR)
    assert target
    value = target.score(of.model, torch.tensor([target.row.ids])).item()
    assert (value, target.words) == (pytest.approx(fields["prediction"], abs=1e-5), "the number")


@pytest.mark.parametrize("method", ["full", "lora", "prompt"])
def test_a_run_s_answers_are_explained(tmp_path, method):
    write_rows(tmp_path / "data.jsonl", texts(*"ab" * 4))
    given = {"model": "tiny-bert", "objective": "classify", "learning_rate": 0.003}
    train_run(tmp_path, epochs=4.0, method=method, **given)
    asked = [{"id": "1", "text": "a 1"}, {"id": "2", "text": "a" * 5000}]
    good, long = answers(tmp_path, asked, explain="integrated", dtype="float32")
    found, score = good["explanation"], good["label_scores"][good["prediction"]]
    assert is_explanation(found)
    assert found["target"] == f"log-probability of {good['prediction']!r}"
    assert found["tokens"] == ["[CLS]", "a", " ", "1", "[SEP]"]
    assert found["check"]["complete"]
    assert found["check"]["score"] == pytest.approx(score, rel=1e-3)
    difference = found["check"]["score"] - found["check"]["baseline"]
    assert sum(found["values"]) == pytest.approx(difference, abs=0.01)
    assert "explanation" not in long
