"""clean: what is mended, what must survive, and what is counted."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.records import Record
from instructune.transforms.clean import Options, Transform


def cleaned(text: str, **options: object) -> tuple[str, dict[str, int]]:
    changes: Counter[str] = Counter()
    (after,) = Transform(Options(**options))(Record(id="a", text=text), changes)
    return after["text"], dict(changes)


@pytest.mark.parametrize(
    ("text", "expected", "kind"),
    [
        ("cafÃ© and ä½\xa0å¥½", "café and 你好", "mojibake mended"),
        ("cafe\u0301", "café", "Unicode composed (NFC)"),
        ("a\r\nb\rc\u2028d\x0ce", "a\nb\nc\nd\ne", "line ends made \\n"),
        ("a\x00b\x1bc\x9d", "abc", "control characters taken out"),
        ("a\u202eb\u2066c\u200fd", "abcd", "bidi controls taken out"),
        ("\ufeffa\u200bb\u00adc\u200dd", "abcd", "invisible characters taken out"),
        ("a  \nb\t\n\u3000\nc \n", "a\nb\n\nc", "blanks at ends taken out"),
        ("\n \n  a", "  a", "blanks at ends taken out"),
        ("a\n\n\n\n\n  b", "a\n\n\n  b", "blank lines collapsed"),
        ("a\n \n\t\n\n\n\tb", "a\n\n\n\tb", "blank lines collapsed"),
    ],
)
def test_each_kind(text, expected, kind):
    assert cleaned(text) == (expected, {kind: 1})
    assert cleaned(expected) == (expected, {})


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\r\n\tif x:\r\n        return  1".replace("\r", ""),
        "a\n\n\nb",  # two blank lines, as between functions
        "👩‍👩‍👧 می‌خواهم क्‍ष",
        "naïve Ångström – “quoted” … résumé à « gauche » Привет – “мир”",
        "你好，世界！　全角空格",
        "x   y",
        "a\tb",
    ],
)
def test_what_must_survive(text):
    record = Record(id="a", text=text)
    changes: Counter[str] = Counter()
    assert Transform(Options())(record, changes)[0] is record
    assert not changes


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ({"mojibake": False}, "cafÃ©"),
        ({"nfc": False}, "cafe\u0301"),
        ({"line_ends": False}, "a\u2028b"),
        ({"controls": False}, "a\x00b"),
        ({"bidi": False}, "a\u202eb"),
        ({"invisible": False}, "a\u200bb"),
        ({"blanks": False}, "a \nb "),
        ({"blank_lines": 0}, "a" + "\n" * 9 + "b"),
    ],
)
def test_each_part_can_be_left_out(option, text):
    assert cleaned(text, **option) == (text, {})
    assert cleaned(text)[0] != text


def test_other_limits_for_blank_lines():
    assert cleaned("a\n\n\nb", blank_lines=1) == ("a\n\nb", {"blank lines collapsed": 1})


def test_a_kind_is_counted_once_a_record_and_spans_stay_right():
    turns = [{"role": "user", "content": "a\x00"}, {"role": "assistant", "content": "b\x00"}]
    changes: Counter[str] = Counter()
    Transform(Options())(Record(id="a", messages=turns), changes)
    assert changes == {"control characters taken out": 1}
    record = Record(
        id="b", text="\n\u200bin Paris \nnow", entities=[{"start": 5, "end": 10, "type": "L"}]
    )
    (after,) = Transform(Options())(record, changes)
    assert after["text"] == "in Paris\nnow"
    assert after["entities"] == [{"start": 3, "end": 8, "type": "L"}]


def test_tokens_stay_with_their_tags():
    record = Record(id="a", tokens=["\ufeff", "cafÃ©", "!"], tags=["O", "B-X", "O"])
    (after,) = Transform(Options())(record, Counter())
    assert (after["tokens"], after["tags"]) == (["café", "!"], ["B-X", "O"])


@given(st.text("aé \t\n\r\u0301\u200b\u200d\u3000\x00ÃƒÂ©👩", max_size=40))
def test_clean_text_stays(text):
    once, _ = cleaned(text)
    assert cleaned(once, mojibake=False) == (once, {})
