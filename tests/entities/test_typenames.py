"""typenames: the references' types by the names that models give them."""

from __future__ import annotations

import pytest

from instructune.entities.typenames import TypeNames

NAMES = TypeNames(["PER", "LOC", "ORG-CORP", "WORK_OF_ART"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PER", "PER"),
        ("Persons", "PER"),
        ("**People**", "PER"),
        ("人名", "PER"),
        ("地点", "LOC"),
        ("org corp", "ORG-CORP"),
        ("work of art", "WORK_OF_ART"),
        ("product", None),
        ("", None),
    ],
)
def test_known(name, kind):
    assert NAMES.known(name) == kind


def test_of_two_types_that_mean_the_same_neither_is_guessed():
    names = TypeNames(["Person", "People"])
    assert [names.known(name) for name in ("person", "people", "人名")] == [
        "Person",
        "People",
        None,
    ]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("person", "PER"),
        ("PRODUCT", "PRODUCT"),
        ("Product", "Product"),
        ("产品", "产品"),
        ("Answer", None),
        ("Here are the entities", None),
        ("实体", None),
        ("because of that", None),
        ("!", None),
    ],
)
def test_read(name, kind):
    assert NAMES.read(name) == kind


def test_rank():
    assert [NAMES.rank(name) for name in ("LOC", "organization", "NASA", "Ann")] == [3, 2, 1, 0]
