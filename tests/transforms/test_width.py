"""width: one width for letters and digits; punctuation only when asked."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.records import Record
from instructune.transforms.width import Options, Transform


@pytest.mark.parametrize(
    ("options", "text", "expected"),
    [
        ({}, "ＡＢＣ１２３，（你好）！", "ABC123，（你好）！"),
        ({}, "ｶﾞｷﾞ ｱ", "ガギ ア"),
        ({"kana": False}, "ｶﾞ", "ｶﾞ"),
        ({"punctuation": "half"}, "你好，世界。（１）", "你好,世界.(1)"),
        ({"punctuation": "full"}, "你好,世界(大家)!", "你好，世界（大家）！"),
        ({"punctuation": "full"}, "第3.5节 a,b 见文件.txt和f(x)", "第3.5节 a,b 见文件.txt和f(x)"),
        ({"punctuation": "full"}, "好.", "好。"),
        ({"punctuation": "full"}, "plain, English.", "plain, English."),
    ],
)
def test_widths(options, text, expected):
    changes: Counter[str] = Counter()
    (after,) = Transform(Options(**options))(Record(id="a", text=text), changes)
    assert after["text"] == expected
    assert changes == ({"width made one": 1} if text != expected else {})


def test_entities_after_kana_that_combine():
    record = Record(id="a", text="ｶﾞＡ", entities=[{"start": 2, "end": 3, "type": "X"}])
    (after,) = Transform(Options())(record, Counter())
    assert after["text"] == "ガA"
    assert after["entities"] == [{"start": 1, "end": 2, "type": "X"}]
