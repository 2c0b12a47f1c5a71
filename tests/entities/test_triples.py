"""triples: the forms in which models name relations, and what is none of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.entities.triples import Types, triples
from instructune.entities.typenames import TypeNames

TYPES = Types(TypeNames(["born_in", "works_for"]), TypeNames(["PER", "LOC"]))


def told(answer):
    found = triples(answer, TYPES)
    return found and [(head.text, kind, tail.text) for head, kind, tail in found]


@pytest.mark.parametrize(
    "answer",
    [
        "(Ann, born in, Rome)\n(Bob, works_for, Acme)",
        "1. (Ann, Rome, born_in)\n2. (Bob, Acme, works_for)",
        "<Ann, born in, Rome>; <Bob, works for, Acme>",
        "Ann | born in | Rome\nBob | works for | Acme",
        "| head | relation | tail |\n|---|---|---|\n| Ann | born in | Rome |\n"
        "| Bob | works for | Acme |",
        "- Ann -> born_in -> Rome\n- Bob -> works_for -> Acme",
        "born_in(Ann, Rome)\nworks_for(Bob, Acme)",
        '[["Ann", "born_in", "Rome"], ["Bob", "works_for", "Acme"]]',
        '[{"head": "Ann", "relation": "born in", "tail": "Rome"},'
        ' {"subject": "Bob", "predicate": "works for", "object": "Acme"}]',
        '```json\n{"relations": [{"h": "Ann", "r": "born_in", "t": {"text": "Rome"}},'
        ' ["Bob", "works_for", "Acme"]]}\n```',
    ],
)
def test_forms(answer):
    assert told(answer) == [("Ann", "born_in", "Rome"), ("Bob", "works_for", "Acme")]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("（张三，出生于，北京）", [("张三", "出生于", "北京")]),
        ("(Ann, likes, Rome)", [("Ann", "likes", "Rome")]),
        ('["Ann", "born_in", "Rome"]', [("Ann", "born_in", "Rome")]),
        ("No relations.", []),
        ("[]", []),
        ("I do not know (sorry)", None),
        ("", None),
        ('[{"head": "Ann"}]', None),
        ("[1, 2, 3]", None),
    ],
)
def test_what_they_name(answer, found):
    assert told(answer) == found


@pytest.mark.parametrize(
    "answer",
    [
        "Ann (person) | born_in | Rome [LOC]",
        '[{"head": {"text": "Ann", "type": "PER"}, "type": "born_in",'
        ' "tail": "Rome", "tail_type": "location"}]',
    ],
)
def test_arguments_may_bear_types(answer):
    assert triples(answer, TYPES) == [(("Ann", "PER"), "born_in", ("Rome", "LOC"))]


@given(st.text(alphabet='ab,;|()<>[]{}-\n" :', max_size=60))
def test_any_text_is_read_or_not(answer):
    found = triples(answer, TYPES)
    assert found is None or all(kind for _, kind, _ in found)


@pytest.mark.parametrize("unit", ["(a,", "a|", "a(", "<", "[", "--", "a b"])
def test_hostile_answers_take_no_time(unit):
    start = time.perf_counter()
    triples(unit * (20_000 // len(unit)), TYPES)
    assert time.perf_counter() - start < 2
