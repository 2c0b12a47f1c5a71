"""rubrics: criteria from TOML, and what is wrong with a file, told."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.judges import rubrics
from instructune.judges.rubrics import Criterion, load


def test_the_built_in_criteria_are_asked_in_both_languages():
    assert rubrics.names() == ["default"]
    found = load("default")
    assert [c.name for c in found] == ["helpfulness", "correctness", "constraints"]
    for criterion in found:
        assert (criterion.low, criterion.high) == (1, 10)
        assert criterion.question("en").isascii()
        assert not criterion.question("zh").isascii()


def test_a_file_of_ones_own(write):
    path = write(
        "c.toml",
        'scale = [0, 1]\n[criteria]\ntone = "Kind?"\n'
        '[criteria.safe]\nscale = [1, 5]\nzh = "安全？"',
    )
    assert load(path) == [
        Criterion("tone", {"en": "Kind?"}, 0, 1),
        Criterion("safe", {"zh": "安全？"}, 1, 5),
    ]
    assert load(path)[0].question("zh") == "Kind?"
    assert [load(path)[1].share(score) for score in (1, 3, 5)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x =", "not TOML"),
        ("", r"needs a table \[criteria\]"),
        ("[criteria]", r"needs a table \[criteria\]"),
        ('[criterias]\na = "?"', "unknown key 'criterias'"),
        ('[criteria]\n"A b" = "?"', "small letters"),
        ("[criteria]\na = 1", "a question or a table"),
        ("[criteria.a]\nscale = [0, 1]", "needs a question under en or zh"),
        ('[criteria]\na = " "', "needs a question"),
        ('[criteria.a]\nen = "?"\nfr = "?"', "unknown key 'fr'"),
        ('scale = [1, 1]\n[criteria]\na = "?"', "scale must be two whole numbers"),
        ('scale = [0, 1.5]\n[criteria]\na = "?"', "scale must be two whole numbers"),
        ('scale = [true, 5]\n[criteria]\na = "?"', "scale must be two whole numbers"),
    ],
)
def test_what_is_wrong_is_told(write, text, reason):
    with pytest.raises(UserError, match=reason) as caught:
        load(write("c.toml", text))
    assert caught.value.code == Exit.USAGE


def test_a_file_that_is_not_there_names_the_built_in_ones():
    with pytest.raises(UserError) as caught:
        load("defualt")
    assert caught.value.code == Exit.NO_INPUT
    assert caught.value.hint == "built in: default"
