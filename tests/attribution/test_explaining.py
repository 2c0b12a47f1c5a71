"""explaining: tokens and words whose texts are the prompt's, and what cannot be explained."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.attribution.explaining import Case, Explained, pieces, rounded, words
from instructune.errors import Exit, UserError
from instructune.explainers import explainers
from instructune.fetching.modelfiles import resolve
from instructune.records import Record
from instructune.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """One whose tokens are bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Tokenizer(resolve("tiny-llama").tokenizer)


def test_bytes_of_a_letter_show_it_once(tokenizer):
    ids = [257, *"a你!".encode(), 258]
    assert pieces(ids, tokenizer) == ["<|im_start|>", "a", "", "", "你", "!", "<|im_end|>"]


def test_words_with_their_blanks(tokenizer):
    ids = [257, *"It's  42,\n好人 b".encode(), 258, *b"b"]
    texts, groups = words(ids, tokenizer)
    assert texts == [
        *("<|im_start|>", "It's", "  42", ",", "\n", "好", "人", " b", "<|im_end|>", "b"),
    ]
    assert groups[:3] == [[0], [1, 2, 3, 4], [5, 6, 7, 8]]
    assert groups[5] == [11, 12, 13]


@given(st.text(max_size=30), st.integers(0, 40))
def test_nothing_of_the_text_is_lost(tokenizer, text, cut):
    ids = list(text.encode("utf-8", "ignore"))[:cut]
    whole = tokenizer.decode(ids, keep_special=True)
    assert len(pieces(ids, tokenizer)) == len(ids)
    assert "".join(pieces(ids, tokenizer)) == whole
    texts, groups = words(ids, tokenizer)
    assert "".join(texts) == whole
    assert sorted(i for group in groups for i in group) == list(range(len(ids)))


def test_four_digits_and_no_more():
    assert rounded([1.23456, -0.000123456, 98765.0]) == [1.235, -0.0001235, 98760.0]
    for wrong in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(UserError, match="not finite"):
            rounded([1.0, wrong])


CASE = Case(Record(id="1", text="x"), [1], [2], "b")


def explained(monkeypatch: pytest.MonkeyPatch, answer: Any) -> Explained:
    def explain(case: Case) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    module = SimpleNamespace(Explainer=lambda options, source: explain, Options=None)
    monkeypatch.setitem(explainers._modules, "gradient", module)
    return Explained("gradient", SimpleNamespace())


def test_the_field(monkeypatch):
    found = explained(monkeypatch, {"values": [1.0]})(CASE)
    target = "log-probability of the answer, 1 token"
    assert found == {"method": "gradient", "target": target, "values": [1.0]}


def test_a_row_that_cannot_be_explained_says_so(monkeypatch):
    found = explained(monkeypatch, UserError("the model's output is not finite"))(CASE)
    assert found["error"] == "the model's output is not finite"
    for error in (UserError("x", code=Exit.MISMATCH), UserError("x", where="f:1")):
        with pytest.raises(UserError):
            explained(monkeypatch, error)(CASE)


def test_a_wrong_name_is_refused():
    with pytest.raises(UserError, match="unknown explainer 'gradeint'") as caught:
        Explained("gradeint", SimpleNamespace())
    assert caught.value.code == Exit.USAGE
