"""reports/pages: text is never markup, whatever it holds, and tables say what rows say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.reports.pages import (
    Html,
    element,
    folded,
    heading,
    joined,
    note,
    page,
    table,
    text,
)
from tests.wellformed import elements


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("\" onload='x'", "&quot; onload=&#x27;x&#x27;"),
        ("&lt;", "&amp;lt;"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
        ("a\x00b\x1b[31m\r", "a\\x00b\\x1b[31m\\r"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("-->]]></style>", "--&gt;]]&gt;&lt;/style&gt;"),
    ],
)
def test_hostile_text(hostile, shown):
    assert text(hostile) == shown
    made = element("td", hostile, title=hostile)
    assert made == f'<td title="{shown}">{shown}</td>'


@given(st.text(), st.text())
def test_any_text_leaves_the_page_whole(name, said):
    made = page(name, [heading(said), note(said), folded(said, note(name)), table([{name: said}])])
    tags = [tag for tag, _ in elements(made) if tag not in ("head", "body")]
    assert tags.count("td") == tags.count("h2") == tags.count("style") == 1


def test_markup_is_not_escaped_twice():
    assert element("p", element("b", "<"), " & ", 5) == "<p><b>&lt;</b> &amp; 5</p>"
    assert joined([Html("<br/>"), "<"], ",") == "<br/>,&lt;"
    assert type(joined(["a"])) is Html


def test_attributes():
    assert element("rect", x=1, class_="a", height=None) == '<rect x="1" class="a"/>'
    assert element("td", data_label="x") == '<td data-label="x"></td>'


def test_nothing_may_be_loaded_even_so():
    policy = 'http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src'
    assert policy.encode() in page("t", [])


def test_tables():
    made = table(
        [{"name": "a", "rows": 1234, "p": "-"}, {"name": "b", "rows": 5}],
        right=("p",),
        name="cards",
    )
    assert '<th>name</th><th class="number">rows</th><th class="number">p</th>' in made
    assert '<td data-label="name">a</td><td class="number" data-label="rows">1,234</td>' in made
    assert '<td class="number" data-label="p"></td></tr></table>' in made
    assert table([]) == note("none")
    assert table([{"a": 1}]) == (
        '<div class="wide"><table><tr><th class="number">a</th></tr>\n'
        '<tr><td class="number">1</td></tr></table></div>'
    )
