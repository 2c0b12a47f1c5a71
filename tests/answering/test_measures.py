"""measures: which tokens of given answers are scored, and what rows must bring for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from instructune.answering.measures import Measures
from instructune.errors import UserError
from instructune.records import Record
from instructune.tokenizer import Tokenizer
from instructune.tokens import TokenRow
from tests.template_families import CHATML, build

PROMPT = [{"role": "user", "content": "hi"}]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return build(CHATML, tmp_path_factory.mktemp("tokenizer"))


def record(answer: str | None = None, **more: Any) -> Record:
    turns = [*PROMPT, *([{"role": "assistant", "content": answer}] if answer else [])]
    return Record({"id": "1", "origin": "f:1", "messages": turns} | more)


class Counting:
    """Instead of a model: each token is worth minus its place."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.asked: list[str] = []

    def __call__(self, sequences: Any, starts: Any) -> list[list[float]]:
        for ids, start in zip(sequences, starts, strict=True):
            self.asked.append(" ".join(map(self.tokenizer.token, ids[start:])))
        return [
            [-float(t) for t in range(s, len(i))] for i, s in zip(sequences, starts, strict=True)
        ]


def measure(tokenizer: Tokenizer, given: Record, **how: Any) -> tuple[Any, list[str]]:
    settings = {"references": False, "labels": None, "limit": None} | how
    model = Counting(tokenizer)
    (found,) = Measures(tokenizer, **settings).of([given], model)
    return found, model.asked


def test_a_reference_is_scored_to_the_token_that_ends_its_turn(tokenizer):
    found, asked = measure(tokenizer, record("hello"), references=True)
    assert asked == ["hello <|im_end|>"]
    assert found["reference_logprob"]["tokens"] == 2
    assert found["reference_logprob"]["bytes"] == 5
    assert found["reference_logprob"]["sum"] < 0


def test_of_several_references_the_first_where_there_is_no_answer(tokenizer):
    found, asked = measure(tokenizer, record(references=["four", "hello"]), references=True)
    assert (asked, found["reference_logprob"]["bytes"]) == (["four <|im_end|>"], 4)


def test_weights_are_for_training_alone(tokenizer):
    given = record("hello", weight=0)
    given["messages"][-1]["weight"] = 0
    assert measure(tokenizer, given, references=True)[1] == ["hello <|im_end|>"]


@pytest.mark.parametrize("labels", ["four, hello", "@FILE", "choices"])
def test_labels_stand_in_the_answer_s_place(tokenizer, labels, tmp_path):
    file = Path(tmp_path, "labels.txt")
    file.write_text("\ufefffour\n\n hello\n")
    given = record("be", choices=["four", "hello"])
    found, asked = measure(tokenizer, given, labels=labels.replace("FILE", str(file)))
    assert asked == ["four <|im_end|>", "hello <|im_end|>"]
    assert list(found["label_scores"]) == ["four", "hello"]
    assert found["label_scores"]["four"] == found["label_scores"]["hello"] < 0


@pytest.mark.parametrize(
    ("given", "how", "message"),
    [
        (record(), {"references": True}, "f:1: has no reference answer to score"),
        (Record(id="1", texts=["a", "b"]), {"references": True}, "has no reference answer"),
        (record("a", references=[3]), {"labels": "choices"}, "'choices' must be a list of the row"),
        (record("a", choices=["a", ""]), {"labels": "choices"}, "'choices' must be a list"),
        (record(label=3.5), {"references": True}, "its reference is no text: 3.5"),
        (Record(id="1", text="a"), {"labels": "a,b"}, "has no turns that a label could answer"),
    ],
)
def test_rows_that_lack_what_is_asked_about(tokenizer, given, how, message):
    with pytest.raises(UserError, match=message):
        measure(tokenizer, given, **how)


@pytest.mark.parametrize("labels", ["a,", "a,b,a", ",", "@empty"])
def test_labels_must_be_several(tokenizer, labels, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").write_text("a\n")
    with pytest.raises(UserError, match="needs two different labels or more"):
        Measures(tokenizer, references=False, labels=labels, limit=None)


def test_what_the_model_cannot_read_is_an_error_of_its_row(tokenizer):
    long = record("hello " * 30)
    measures = Measures(tokenizer, references=True, labels="be,four", limit=20)
    found = measures.of([record("hello"), long], Counting(tokenizer))
    assert isinstance(found[0], dict)
    assert "more than 20" in str(found[1])
    measures = Measures(tokenizer, references=False, labels="be," + "four " * 30, limit=20)
    (found_labels,) = measures.of([record()], Counting(tokenizer))
    assert isinstance(found_labels, UserError)


def test_nothing_is_asked_for(tokenizer):
    assert not Measures(tokenizer, references=False, labels=None, limit=None)
    assert Measures(tokenizer, references=False, labels="choices", limit=None)


class Apart:
    """Rows of a model that reads prompts of three tokens, and an output of two beside them."""

    def __init__(self, prompt: int) -> None:
        self.prompt = prompt

    def sequences(self, records: Any) -> Any:
        for record in records:
            columns = {"output": [7, 8]}
            yield TokenRow([1] * self.prompt, [1.0, 1.0], record["id"], record.where, columns)


def test_sides_apart_are_one_sequence_cut_between_them(tokenizer):
    def likelihoods(sequences: Any, starts: Any) -> list[list[float]]:
        assert (list(sequences), list(starts)) == ([[1, 1, 1, 7, 8]], [3])
        return [[-1.0, -2.0]]

    measures = Measures(tokenizer, references=True, labels=None, limit=3, sides=Apart(3))
    (found,) = measures.of([record("hello")], likelihoods)
    assert found == {"reference_logprob": {"sum": -3.0, "tokens": 2, "bytes": 5}}
    for length, reason in ((0, "the prompt is empty"), (4, "the prompt is 4 tokens, more than 3")):
        measures.encoding = Apart(length)
        (error,) = measures.of([record("hello")], likelihoods)
        assert str(error) == reason
