"""segment: blanks between words, once."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.errors import Exit, UserError
from instructune.records import Record
from instructune.transforms.segment import Options, Transform


def test_blanks_between_words_and_entities_that_move():
    record = Record(
        id="a", text="我在Paris，很好 ok.", entities=[{"start": 2, "end": 7, "type": "L"}]
    )
    changes: Counter[str] = Counter()
    (after,) = Transform(Options())(record, changes)
    assert after["text"] == "我 在 Paris ， 很 好 ok."
    assert after["entities"] == [{"start": 4, "end": 9, "type": "L"}]
    assert changes == {"words set apart": 1}
    assert Transform(Options())(after, changes)[0] is after


def test_chats_and_plain_english_stay():
    for record in (
        Record(id="a", messages=[{"role": "user", "content": "你好"}]),
        Record(id="b", text="well done."),
    ):
        assert Transform(Options())(record, Counter())[0] is record
    (pair,) = Transform(Options())(Record(id="c", texts=["你好", "好"]), Counter())
    assert pair["texts"] == ["你 好", "好"]


def test_a_missing_lexicon_is_told():
    try:
        import jieba  # noqa: F401
    except ImportError:
        with pytest.raises(UserError, match="pip install jieba") as told:
            Transform(Options(by="jieba"))
        assert told.value.code == Exit.UNAVAILABLE
    else:
        (after,) = Transform(Options(by="jieba"))(Record(id="a", text="我们今天"), Counter())
        assert after["text"].replace(" ", "") == "我们今天"
