"""reports/worddiffs: what is marked, and that no text is lost or let loose."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from instructune.errors import visible
from instructune.reports.worddiffs import marked


def test_words_of_one_side_are_marked():
    assert marked("the red fox ran", "the fox ran off") == (
        "the<del> red</del> fox ran",
        "the fox ran<ins> off</ins>",
    )


def test_chinese_is_told_apart_by_character():
    assert marked("今天天气好", "今天天气很好") == ("今天天气好", "今天天气<ins>很</ins>好")


def test_texts_with_little_in_common_are_left_as_they_are():
    assert marked("one two three four", "five six seven four") == (
        "one two three four",
        "five six seven four",
    )
    assert marked("", "x") == ("", "x")
    assert marked("", "") == ("", "")


def test_a_tag_across_words_stays_text():
    before, after = marked("a <script> b", "a <b> b")
    assert "<script>" not in before
    assert "<b>" not in after
    assert after == "a &lt;<ins>b</ins>&gt; b"


TEXTS = st.text(alphabet="ab <>&\"'/天\u202e\n", max_size=30)


@given(TEXTS, TEXTS)
def test_nothing_is_lost(before, after):
    for said, tag, made in zip((before, after), ("del", "ins"), marked(before, after), strict=True):
        bare = re.sub(f"</?{tag}>", "", made)
        assert not re.search("[<>]", bare)
        assert unescape(bare) == visible(said)
