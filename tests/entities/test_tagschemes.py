"""tagschemes: the entities of tags, by seqeval's rules."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, Entities

from instructune.entities.tagschemes import detect, spans


def tags_of(marks):
    kinds = [f"{mark}-{kind}" for mark in marks for kind in ("PER", "LOC")]
    return st.lists(st.sampled_from([*kinds, "O", "O"]), max_size=12)


def strict(tags, scheme):
    (found,) = Entities([tags], scheme).entities
    return [(entity.start, entity.end, entity.tag) for entity in found]


@settings(max_examples=400)
@given(tags_of("BI"))
def test_iob_equals_seqeval(tags):
    assert spans(tags, "iob2") == strict(tags, IOB2)
    assert spans(tags, "iob1") == strict(tags, IOB1)


@settings(max_examples=400)
@given(tags_of("BIES"))
def test_bioes_equals_seqeval(tags):
    assert spans(tags, "bioes") == strict(tags, IOBES)
    other = [{"E": "L", "S": "U"}.get(tag[0], tag[0]) + tag[1:] for tag in tags]
    assert spans(other, "bioes") == strict(other, BILOU) == spans(tags, "bioes")


@settings(max_examples=400)
@given(tags_of("BIES"))
def test_conll_equals_seqeval_by_default(tags):
    assert spans(tags, "conll") == [(s, e + 1, kind) for kind, s, e in get_entities(tags)]


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("B-PER I-PER O B-LOC", "iob2"),
        ("B-PER I-LOC O", "iob2"),
        ("I-PER I-PER O I-LOC", "iob1"),
        ("I-PER B-PER O", "iob1"),
        ("B-PER E-PER O S-LOC", "bioes"),
        ("B-PER M-PER L-PER O U-LOC", "bioes"),
        ("O O", "iob2"),
    ],
)
def test_the_scheme_is_seen(tags, scheme):
    assert detect([tags.split()]) == scheme


def test_one_row_can_tell():
    assert detect([["O"], ["I-A"], ["S-A"]]) == "bioes"
    assert detect([["I-A"], ["B-A"]]) == "iob2"


@pytest.mark.parametrize("tag", ["NOUN", "3", "b-PER", "O-PER", ""])
def test_other_tags_are_no_entities(tag):
    with pytest.raises(ValueError, match="is no tag of an entity"):
        detect([["O", tag]])


def test_types_with_hyphens_and_none():
    assert spans(["B-x-y", "I-x-y", "B"], "iob2") == [(0, 2, "x-y"), (2, 3, "")]
