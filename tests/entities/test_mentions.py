"""mentions: the forms in which models name entities, and what is none of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instructune.entities.mentions import mentions
from instructune.entities.typenames import TypeNames

TYPES = TypeNames(["PER", "LOC"])
BOTH = [("Barack Obama", "PER"), ("Hawaii", "LOC")]


@pytest.mark.parametrize(
    "answer",
    [
        "PER: Barack Obama; LOC: Hawaii",
        "PER: Barack Obama, LOC: Hawaii",
        "Person: Barack Obama\nLocation: Hawaii",
        "Barack Obama: PER\nHawaii: LOC",
        "1. Barack Obama - PER\n2. Hawaii - LOC",
        "- Barack Obama (PER)\n- Hawaii (LOC)",
        "Barack Obama (person), Hawaii (location)",
        "* **PER**: Barack Obama\n* **LOC**: Hawaii",
        "Sure! Here are the entities:\n\nPER:\n- Barack Obama\nLOC:\n- Hawaii",
        "| Barack Obama | PER |\n|---|---|\n| Hawaii | LOC |",
        "<PER>Barack Obama</PER> was born in <LOC>Hawaii</LOC>.",
        "[Barack Obama](PER) was born in [Hawaii](LOC).",
        '[{"text": "Barack Obama", "type": "PER"}, {"text": "Hawaii", "type": "LOC"}]',
        '[{"entity": "Barack Obama", "label": "person"}, {"name": "Hawaii", "tag": "LOC"}]',
        '[{"word": "Barack Obama", "entity": "PER"}, {"word": "Hawaii", "entity": "LOC"}]',
        '{"PER": ["Barack Obama"], "LOC": ["Hawaii"], "ORG": []}',
        '{"entities": {"PER": "Barack Obama", "LOC": [{"text": "Hawaii"}], "ORG": null}}',
        '{"Barack Obama": "PER", "Hawaii": "LOC"}',
        '[["Barack Obama", "PER"], ["LOC", "Hawaii"]]',
        '["Barack Obama (PER)", "LOC: Hawaii"]',
        'Here it is:\n```json\n{"PER": ["Barack Obama"], "LOC": ["Hawaii"]}\n```\nAnything else?',
        'They are {"PER": ["Barack Obama"], "LOC": ["Hawaii"]}, I think.',
    ],
)
def test_forms(answer):
    assert mentions(answer, TYPES) == BOTH


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("人名:张三", [("张三", "PER")]),
        ("人名：张三、李四；地名：北京", [("张三", "PER"), ("李四", "PER"), ("北京", "LOC")]),
        ("人名:张三，地名:北京。", [("张三", "PER"), ("北京", "LOC")]),
        ("张三（人名）、北京（地点）", [("张三", "PER"), ("北京", "LOC")]),
        ("<人名>张三</人名>去北京。", [("张三", "PER")]),
        ('LOC: "Washington, D.C.", Rome', [("Washington, D.C.", "LOC"), ("Rome", "LOC")]),
        ('PER: "A; B"; LOC: M&amp;M', [("A; B", "PER"), ("M&amp;M", "LOC")]),
        ("PER: none\nLOC: Rome", [("Rome", "LOC")]),
        ("PER: Ann\nPRODUCT: Walkman", [("Ann", "PER"), ("Walkman", "PRODUCT")]),
        ("PER: Ann, Ann", [("Ann", "PER"), ("Ann", "PER")]),
    ],
)
def test_what_they_name(answer, found):
    assert mentions(answer, TYPES) == found


@pytest.mark.parametrize(
    "answer", ["None.", "无", "没有实体。", "[]", "{}", "PER: none", "No entities"]
)
def test_none_named(answer):
    assert mentions(answer, TYPES) == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I'm sorry, I can't do that.",
        "The answer is [1, 2].",
        '{"PER": 5}',
        "Answer: there is a man and a place.",
        "Note: it is raining",
    ],
)
def test_unreadable(answer):
    assert mentions(answer, TYPES) is None


def test_without_known_types_the_likelier_side_is_the_type():
    assert mentions("Barack Obama: PER\nLOC: USA", TypeNames(())) == [
        ("Barack Obama", "PER"),
        ("USA", "LOC"),
    ]


@given(st.text(alphabet='PERLOC: ;,\n[]{}"()<>/-*|人名', max_size=60))
def test_any_text_is_read_or_not(answer):
    found = mentions(answer, TYPES)
    assert found is None or all(kind for _, kind in found)


@pytest.mark.parametrize("unit", ["<a>", "a", "(", '"', "[", "a:", "a,", "- a\n", '{"a":'])
def test_hostile_answers_take_no_time(unit):
    start = time.perf_counter()
    mentions(unit * (20_000 // len(unit)), TYPES)
    assert time.perf_counter() - start < 2
