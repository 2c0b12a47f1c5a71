"""framing: what stands around texts, and where they are cut."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer as Backend

from instructune.errors import UserError
from instructune.fetching.modelfiles import resolve
from instructune.framing import Framing
from instructune.tokenizer import Frame, Tokenizer

CLS, SEP, PAD = 257, 258, 256


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(resolve("tiny-bert").folder)


def ids(framing: Framing, *texts: str) -> tuple[list[int], int]:
    found, about = next(framing.framed([(texts, "f:1", 7)]))
    assert about == 7
    assert found
    return found.ids, found.second


def test_one_text_and_two(tokenizer):
    assert tokenizer.frame == Frame((CLS,), (SEP,), (SEP,), (SEP,), 1)
    framing = Framing(tokenizer, None, "error")
    assert ids(framing, "ab") == ([CLS, 97, 98, SEP], 4)
    assert ids(framing, "ab", "c") == ([CLS, 97, 98, SEP, 99, SEP], 4)
    assert ids(framing, "") == ([CLS, SEP], 2)
    theirs = Backend.from_file(str(tokenizer.folder / "tokenizer.json"))
    assert theirs.encode("ab", "c").ids == ids(framing, "ab", "c")[0]


def test_words_that_look_like_control_tokens_are_words(tokenizer):
    found, _ = ids(Framing(tokenizer, None, "error"), "a[SEP]")
    assert found == [CLS, *b"a[SEP]", SEP]


@pytest.mark.parametrize(
    ("limit", "texts", "cut"),
    [
        (5, ("abcd",), "abc"),
        (7, ("abcd", "ef"), "ab|ef"),
        (5, ("abcd", "ef"), "a|e"),
    ],
)
def test_the_longer_text_is_cut_at_its_end(tokenizer, limit, texts, cut):
    framing = Framing(tokenizer, limit, "truncate-prompt")
    found, _ = ids(framing, *texts)
    one, _, two = cut.partition("|")
    wanted = [CLS, *one.encode(), SEP, *([*two.encode(), SEP] if two else [])]
    assert found == wanted
    assert framing.counts == {"longer than --max-length": 1, "truncated": 1}


def test_what_is_too_long_is_dropped_or_refused(tokenizer):
    framing = Framing(tokenizer, 4, "drop")
    found = [one for one, _ in framing.framed([(["abc"], "f:1", 0), (["ab"], "f:2", 0)])]
    assert [one and one.ids for one in found] == [None, [CLS, 97, 98, SEP]]
    assert framing.dropped == ["f:1"]
    framing.check()
    framing = Framing(tokenizer, 4, "error")
    list(framing.framed([(["abc"], "f:1", 0)]))
    with pytest.raises(UserError, match=r"longer than --max-length 4: f:1 \(5 tokens\)"):
        framing.check()
    with pytest.raises(UserError, match="'split' is for objectives that learn tokens"):
        Framing(tokenizer, 4, "split")


def test_offsets_are_of_the_first_text(tokenizer):
    found = next(Framing(tokenizer, None, "error").framed([(["aé", "b"], "f:1", 0)]))[0]
    assert found
    assert list(found.offsets) == [(0, 1), (1, 2), (1, 2)]
    assert found.lead == 1
