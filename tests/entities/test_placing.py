"""placing: texts without places are put where they suit best."""

from __future__ import annotations

from instructune.entities.mentions import Mention
from instructune.entities.placing import Source, overlap
from instructune.entities.tagschemes import Span

SOURCE = Source("Rome met Rome in New Rome")  # RomemetRomeinNewRome
FIRST, SECOND, NEW = Span(0, 4, "LOC"), Span(7, 11, "PER"), Span(13, 20, "LOC")
TRUE = [FIRST, SECOND, NEW]


def placed(*named, true=TRUE, source=SOURCE):
    return source.place([Mention(*pair) for pair in named], true)


def test_each_gets_the_reference_of_its_type():
    assert placed(("Rome", "PER"), ("New Rome", "LOC"), ("Rome", "LOC")) == [SECOND, NEW, FIRST]


def test_then_that_of_another_type():
    assert placed(("New Rome.", "ORG")) == [NEW._replace(type="ORG")]


def test_then_where_it_overlaps_one_and_each_place_once():
    named = [("Rome", "LOC")] * 5
    found = placed(*named)
    assert found[:3] == [FIRST, SECOND._replace(type="LOC"), Span(16, 20, "LOC")]
    assert not any(overlap(span, true) for span in found[3:] for true in TRUE)
    assert found[3] != found[4]


def test_what_stands_nowhere_matches_nothing():
    (span,) = placed(("Paris", "LOC"))
    assert not overlap(span, Span(0, 20, ""))


def test_references_without_a_source():
    source, true = Source.of_list([Mention("Barack Obama", "PER"), Mention("Rome", "LOC")])
    assert [source.text[s.start : s.end] for s in true] == ["BarackObama", "Rome"]
    exact, part, more, none = placed(
        ("Barack  Obama", "PER"),
        ("Rom", "LOC"),
        ("Rome Hilton", "LOC"),
        ("Paris", "LOC"),
        true=true,
        source=source,
    )
    assert exact == true[0]
    assert overlap(part, true[1])
    assert overlap(more, true[1])
    assert not overlap(more, true[0])
    assert true[1] not in (part, more)
    assert not any(overlap(none, span) for span in true)
