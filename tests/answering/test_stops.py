"""stops: the first of several texts in an answer, across tokens, letters and control tokens."""

from __future__ import annotations

import pytest

from instructune.answering.stops import Stops
from instructune.fetching.modelfiles import resolve
from instructune.tokenizer import Tokenizer


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """One whose tokens are bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Tokenizer(resolve("tiny-llama").tokenizer)


@pytest.mark.parametrize(
    ("texts", "said", "cut"),
    [
        ((), [*b"abc"], ("abc", False)),
        (("##",), [*b"a#b"], ("a#b", False)),
        (("c", "##"), [*b"ab##c"], ("ab", True)),
        (("好",), [*"a你好".encode()], ("a你", True)),
        (("#b",), [*b"a#", 257, *b"b"], ("a", True)),  # a control token is no text
    ],
)
def test_the_answer_ends_before_the_first(tokenizer, texts, said, cut):
    stops = Stops(texts, tokenizer)
    assert (stops.cut(said), stops.ended(said)) == (cut, cut[1])


def test_only_the_end_is_looked_at(tokenizer):
    """Each token is asked about as it comes, so that what is far back was seen before."""
    stops = Stops(("##",), tokenizer)
    assert stops.ended([*b"##abcd"])
    assert not stops.ended([*b"##abcde"])
