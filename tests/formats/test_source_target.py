"""source_target: texts and sentences, one target or many."""

from __future__ import annotations

import pytest

from instructune.formats import source_target


def made(source, target, **more):
    messages = [{"role": "user", "content": source}, {"role": "assistant", "content": target}]
    return [{"messages": messages, "target": target} | more | {"source": source}]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"source": "s", "target": "t"}, made("s", "t")),
        ({"document": "s", "summary": "t"}, made("s", "t")),
        ({"article": "s", "highlights": "t", "summary": 1}, made("s", "t")),
        (
            {"source": ["A b.", "C d."], "target": ["t", "u"]},
            made("A b. C d.", "t", references=["t", "u"]),
        ),
        (
            {"source": [["好。", "是"], ["不", "OK", "yes"]], "target": "t"},
            made("好。是\n不OK yes", "t"),
        ),
        ({"source": ["a", "", "b"], "target": "t"}, made("a b", "t")),
    ],
)
def test_convert(row, expected):
    (found,) = source_target.convert(row)
    assert {k: v for k, v in found.items() if k != "summary"} == expected[0]
    if "highlights" in row:
        assert found["summary"] == 1


def test_without_target_it_is_a_prompt():
    for target in None, []:
        (found,) = source_target.convert({"source": "s", "target": target})
        assert found == {"messages": [{"role": "user", "content": "s"}], "source": "s"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"source": 5, "target": "t"}, "source must be a string or a list of sentences"),
        ({"source": ["a", 5], "target": "t"}, "source must be a string or a list of sentences"),
        ({"source": "s", "target": [5]}, "target must be a string or a list of strings"),
    ],
)
def test_what_is_wrong_is_told(row, reason):
    with pytest.raises(ValueError, match=reason):
        source_target.convert(row)


def test_recognises():
    assert source_target.recognises(frozenset({"source", "target", "title"}))
    assert source_target.recognises(frozenset({"dialogue", "summary"}))
    assert not source_target.recognises(frozenset({"text", "source", "target"}))
    assert not source_target.recognises(frozenset({"source"}))
