"""wordlists: files of terms, and where the terms stand in a text."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.preparing.wordlists import Terms, lines_of, pairs_of


def test_lines(write):
    name = write("w.txt", "\ufeffOne \r\n\n# a note\n#tag\n二\n")
    assert lines_of(name, "--filter words") == ["One", "#tag", "二"]


def test_pairs(write):
    assert pairs_of(write("p.tsv", "he\tshe\nbig\tlarge\thuge\n"), "x") == [
        ("he", ["she"]),
        ("big", ["large", "huge"]),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"\xff\xfe", "not UTF-8"), (b"# none\n", "holds no terms"), (b"a b\n", "expected term<TAB>")],
)
def test_what_is_no_list(write, content, reason):
    with pytest.raises(UserError, match=reason) as told:
        pairs_of(write("p.tsv", content), "x")
    assert told.value.code == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Bad badly BAD. not-bad", ["Bad", "BAD", "bad"]),
        ("a very bad idea; a bad ideal", ["bad", "bad", "bad idea"]),
        ("这坏人真坏bad吧", ["坏人", "bad"]),
        ("bad's BAD’s bad_x", ["bad", "BAD"]),
        ("c++ and c", ["c++"]),
        ("nothing", []),
    ],
)
def test_terms(text, found):
    terms = Terms(["bad", "bad idea", "坏人", "C++"])
    assert sorted(text[a:b] for a, b in terms.spans(text)) == sorted(found)
    assert terms.count(text) == len(found)
