"""tag: which pieces learn which tags, the loss against transformers', tags and spans back."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.architectures import Head
from instructune.configs import TrainConfig
from instructune.entities.tagschemes import Span, spans, tags_of
from instructune.errors import UserError
from instructune.models import load_model
from instructune.records import Record
from tests.explaining import answered, headed
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

NAMES = {"Ann": "PER", "Bo Li": "PER", "Rome": "LOC"}


def row(*tagged: str, **more: Any) -> dict[str, Any]:
    """`Ann/B-PER saw/O` as a record."""
    pairs = [one.rsplit("/", 1) for one in tagged]
    return {"tokens": [a for a, _ in pairs], "tags": [b for _, b in pairs]} | more


def work_on(folder: Any, rows: Any, objective: str = "tag", **given: Any) -> Any:
    data = write_rows(folder / "data.jsonl", rows)
    settings = {"model": "tiny-bert", "objective": objective, "format": "record"} | given
    return work_of(TrainConfig(data=(data,), **settings))


def learned(work: Any, index: int = 0) -> list[tuple[str, str]]:
    """The tokens of a row that are learned, with their tags."""
    ids, weights, labels = (work.data.columns[n].of(index) for n in ("ids", "weights", "labels"))
    names = work.role.head.labels
    return [
        (work.tokenizer.token(int(i)), names[n])
        for i, weight, n in zip(ids, weights, labels, strict=True)
        if weight
    ]


def test_the_first_piece_of_each_word_is_learned(tmp_path):
    work = work_on(tmp_path, [row("Ann/B-PER", "saw/O", "Bo/B-PER", "Li/I-PER", weight=2)])
    assert learned(work) == [("A", "B-PER"), ("s", "O"), ("B", "B-PER"), ("L", "I-PER")]
    assert work.role.head.labels == ("B-PER", "O", "I-PER")
    batch = work.data.batch([0], pad_id=256)
    assert batch.units == 8
    text = "".join(work.tokenizer.token(i) for i in batch.input_ids[0].tolist())
    assert text == "[CLS]AnnĠsawĠBoĠLi[SEP]"


def test_all_pieces(tmp_path):
    work = work_on(tmp_path, [row("Ann/B-PER", "x/O")], "tag:pieces=all")
    assert learned(work) == [("A", "B-PER"), ("n", "I-PER"), ("n", "I-PER"), ("x", "O")]


@pytest.mark.parametrize(
    ("scheme", "given", "tags"),
    [
        ("bioes", ["B-A", "I-A", "B-A", "O"], ["B-A", "E-A", "S-A", "O"]),
        ("iob1", ["B-A", "I-A", "B-A", "O"], ["I-A", "I-A", "B-A", "O"]),
        ("iob2", ["S-A", "B-A", "E-A", "O"], ["B-A", "B-A", "I-A", "O"]),
        ("iob2", ["I-A", "I-A", "B-A", "I-B"], ["B-A", "I-A", "B-A", "B-B"]),
    ],
)
def test_schemes(tmp_path, scheme, given, tags):
    rows = [row(*(f"w/{tag}" for tag in given))]
    assert [tag for _, tag in learned(work_on(tmp_path, rows, f"tag:scheme={scheme}"))] == tags
    assert tags_of(spans(tags, "conll"), len(tags), scheme) == tags


def test_the_first_of_spans_that_overlap():
    found = [Span(1, 3, "B"), Span(0, 2, "A")]
    assert tags_of(found, 3, "iob2") == ["B-A", "I-A", "O"]


def test_entities_of_a_text(tmp_path):
    entities = [{"start": 0, "end": 5, "type": "PER"}, {"start": 10, "end": 12, "type": "LOC"}]
    work = work_on(tmp_path, [{"text": "Bo Li, in 北京", "entities": entities}])
    assert learned(work) == [
        ("B", "B-PER"),
        ("L", "I-PER"),
        (",", "O"),
        ("i", "O"),
        ("å", "B-LOC"),  # the first byte of 北
        ("ä", "I-LOC"),
    ]


@pytest.mark.parametrize("model", ["tiny-bert", "tiny-llama"])
def test_the_loss_is_that_of_transformers(tmp_path, model):
    work = work_on(tmp_path, [row("Ann/B-PER", "x/O"), row("a/O")], model=model)
    net: Any = load_model(work.model, dtype=torch.float32, seed=1, head=work.role.head)
    batch = work.data.batch([0, 1], pad_id=work.pad_id)
    labels = batch.targets.masked_fill(batch.weights == 0, -100)
    wanted = net(batch.input_ids, attention_mask=batch.attention_mask, labels=labels).loss
    found = work.objective.loss(net)(batch) / batch.units
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


@pytest.mark.parametrize(
    ("rows", "objective", "reason"),
    [
        ([{"tokens": ["a"]}], "tag", "jsonl:1: has no tags"),
        ([{"text": "a"}], "tag", "jsonl:1: has no tags and no entities"),
        ([{"texts": ["a", "b"]}], "tag", "jsonl:1: has no tokens and no text"),
        ([row("a/O")], "tag:scheme=iob3", "scheme cannot be 'iob3'"),
        ([row("a/O")], "tag:pieces=last", "pieces cannot be 'last'"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, rows, objective, reason):
    with pytest.raises(UserError, match=reason):
        work_on(tmp_path, rows, objective)


def test_a_row_that_is_cut_learns_what_is_left(tmp_path):
    rows = [row("Ann/B-PER", "x/O"), row("\u200bAnn/O")]
    work = work_on(tmp_path, rows, max_length=5, overflow="truncate-prompt")
    assert learned(work) == [("A", "B-PER")]


@pytest.mark.parametrize(
    ("objective", "tags"),
    [
        ("tag", ["B-PER", "I-PER", "O", "B-LOC"]),
        ("tag:scheme=bioes", None),
        ("tag:pieces=all", None),
    ],
)
def test_it_learns_and_answers_in_the_scheme_of_the_data(tmp_path, objective, tags):
    tagged = row("Bo/B-PER", "Li/I-PER", "in/O", "Rome/B-LOC", id="1")
    other = row("Rome/B-LOC", "saw/O", "Ann/B-PER", id="2")
    write_rows(tmp_path / "data.jsonl", [tagged | {"id": f"a{i}"} for i in range(8)] + [other])
    given = {"model": "tiny-bert", "objective": objective, "learning_rate": 0.003}
    train_run(tmp_path, epochs=20.0, **given)
    found, second = answers(tmp_path, [{"id": "1", "tokens": tagged["tokens"]}, other])
    assert found["prediction"] == tagged["tags"] == (tags or tagged["tags"])
    assert found["spans"] == [
        {"start": 0, "end": 5, "type": "PER"},
        {"start": 9, "end": 13, "type": "LOC"},
    ]
    assert second["prediction"] == other["tags"]
    (text,) = answers(tmp_path, [{"id": "3", "text": "Bo Li in Rome"}])
    assert text["prediction"] == text["spans"] == found["spans"]


def test_tags_of_other_things_have_no_spans(tmp_path):
    write_rows(tmp_path / "data.jsonl", [row("a/DET", "cat/NOUN")])
    train_run(tmp_path, model="tiny-bert", objective="tag", steps=1)
    (found,) = answers(tmp_path, [row("a/DET", "cat/NOUN")])
    assert set(found["prediction"]) <= {"DET", "NOUN"}
    assert "spans" not in found


def test_the_tags_that_are_not_outside_stand_for_the_answer():
    labels = ("O", "B-PER", "B-LOC")
    of = headed("tag", Head("token", labels, None, 256))
    tokens = ["Ann", "saw", "Rome", "and", "Bo", "there"]
    ids = torch.tensor([of.answers.row(Record({"id": "1", "tokens": tokens})).ids])
    with torch.no_grad():  # so that no tag is likelier than another on the whole
        of.model.classifier.bias -= of.model(input_ids=ids).logits[0].mean(0)
    fields, target = answered(of, {"tokens": tokens})
    tags = fields["prediction"]
    assert 0 < tags.count("O") < 6
    assert target
    assert target.row.ids == ids[0].tolist()
    with torch.no_grad():
        told = of.model(input_ids=ids).logits[0].log_softmax(-1)
    firsts = [1 + len("".join(f"{word} " for word in tokens[:i])) for i in range(6)]
    tagged = [(at, tag) for at, tag in zip(firsts, tags, strict=True) if tag != "O"]
    expected = sum(told[at, labels.index(tag)].item() for at, tag in tagged)
    assert target.score(of.model, ids).item() == pytest.approx(expected, abs=1e-5)
    assert list(target.places) == [at for at, _ in tagged]
    assert target.words == f"log-probability of the tags of {len(tagged)} words"
    with torch.no_grad():
        of.model.classifier.bias[0] += 99
    fields, target = answered(of, {"tokens": tokens})
    assert (fields["prediction"], target) == (["O"] * 6, None)
