"""markup: what HTML shows, and what is not HTML."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.preparing.markup import html_to_text

Parser = pytest.importorskip("selectolax.lexbor").LexborHTMLParser


def shown(text: str, **options: bool) -> str:
    return html_to_text(text, Parser, **options)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            "<p>Hello <b>big</b>  world &amp; more</p>\n<p>Two<br>lines</p>",
            "Hello big world & more\n\nTwo\nlines",
        ),
        (
            "<ul><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ul>after",
            "- a\n- b\n  1. c\n  2. d\n\nafter",
        ),
        ("<pre>def f():\n    return  1\n</pre>ok", "```\ndef f():\n    return  1\n```\n\nok"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 | 2\n3"),
        ("use <code>x+1</code> <em>here</em>\n  and there", "use `x+1` here\n  and there"),
        ("<script>x</script><style>y</style><div>hi</div><!-- z -->", "hi"),
        ('<a href="http://x.org/?a=1&b=2">link</a>', "link"),
        ('<div class="a b" hidden="">一</div><div>二</div>', "一\n二"),
        ("Tom &amp; Jerry &lt;3 &#20320;", "Tom & Jerry <3 你"),
        ("if a<b <p>text 3<4</p>", "if a<b\n\ntext 3<4"),
        ("  <b>in</b>", "  in"),
    ],
)
def test_markup(html, text):
    assert shown(html) == text


@pytest.mark.parametrize(
    "text",
    [
        "x<y and y>z, a<b and c>d",
        "vector<int> v; List<String> s; a << 2; b -> c; <EMAIL>",
        "Which tag, <b> or <strong>?",
        "write `<p>x</p>`, or\n```html\n<p>a &amp; b</p>\n```\nas you like",
        "AT&T R&D ?a=1&copy=2",
        "<unk> <pad> </s> <|im_end|>",
    ],
)
def test_what_is_not_markup(text):
    assert shown(text) == text


def test_code_stays_within_markup():
    assert shown("<p>see `<b>`:</p>\n```\n<p>x</p>\n```") == "see `<b>`:\n\n```\n<p>x</p>\n```"


def test_entities_alone_on_demand():
    assert shown("a &amp; b", entities=False) == "a &amp; b"


def test_hostile_nesting_is_left_alone():
    text = "<div>" * 50_000 + "</div>"
    start = time.process_time()
    assert shown(text) == text
    assert len(shown("<b>" * 3000 + "x" + "</b>" * 3000)) == 1
    assert time.process_time() - start < 10  # at each place, a look at all of it takes minutes


@given(st.lists(st.sampled_from(["<p>", "</p>", "<br>", "<b", ">", "&lt;", "`", "a", " ", "\n"])))
def test_anything_goes_through(parts):
    shown("".join(parts))
