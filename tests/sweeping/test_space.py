"""space: which values there are, which belong together, and what train makes of them."""

from __future__ import annotations

import pytest

from instructune.errors import UserError
from instructune.sweeping.space import Parameter, Space

RATE = Parameter("learning_rate", low=1e-4, high=1e-1, log=True, points=4)
RANK = Parameter("method.rank", low=2, high=8, step=3)
METHOD = Parameter("method", choices=("full", "lora:alpha=4"))


@pytest.mark.parametrize(
    ("parameter", "values", "told"),
    [
        (RATE, [1e-4, 1e-3, 1e-2, 1e-1], "0.0001 to 0.1 log, 4 points"),
        (RANK, [2, 5, 8], "2 to 8 step 3"),
        (Parameter("batch_size", low=3, high=5), [3, 4, 5], "3 to 5"),
        (Parameter("batch_size", low=1, high=64, log=True, points=4), [1, 4, 16, 64], None),
        (Parameter("batch_size", low=1, high=3, points=7), [1, 2, 3], None),
        (Parameter("dropout", low=0.0, high=0.3, step=0.1), [0.0, 0.1, 0.2, 0.3], None),
        (Parameter("dropout", low=0.0, high=1.0, points=3), [0.0, 0.5, 1.0], None),
        (METHOD, ["full", "lora:alpha=4"], "full, lora:alpha=4"),
    ],
)
def test_values(parameter, values, told):
    found = parameter.values()
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]
    assert told in (None, parameter.told())


def test_an_endless_range_has_no_list():
    with pytest.raises(UserError, match="give the range points = N or a step") as caught:
        Parameter("learning_rate", low=0.0, high=1.0).values()
    assert caught.value.where == "search.learning_rate"


def test_a_drawn_number_is_short_and_within_the_range():
    rate = Parameter("learning_rate", low=1.23456412e-4, high=0.5)
    assert rate.tidy(0.001234567890123) == 0.00123457
    assert rate.tidy(1.23456413e-4) == 1.23456412e-4  # 0.000123456 would be less than low
    assert rate.tidy(0.49999999) == 0.5
    assert Parameter("batch_size", low=1, high=9).tidy(3) == 3
    assert METHOD.tidy("full") == "full"


def test_options_of_a_plug_in_go_with_it():
    space = Space({"method": "full", "seed": 3}, (METHOD, RANK))
    assert list(space.points()) == [
        {"method": "full"},
        *({"method": "lora:alpha=4", "method.rank": rank} for rank in (2, 5, 8)),
    ]
    assert space.size == 4
    assert space.some_point() == {"method": "full"}
    assert space.settings({"method": "lora:alpha=4", "method.rank": 5}) == {
        "method": "lora:alpha=4,rank=5",
        "seed": 3,
    }
    fixed = Space({"method": "lora:rank=3,alpha=4"}, (RANK,))
    assert fixed.settings({"method.rank": 8})["method"] == "lora:rank=8,alpha=4"
    assert fixed.some_point() == {"method.rank": 8}


def test_the_last_parameter_changes_fastest():
    space = Space({}, (RATE, Parameter("seed", choices=(0, 1))))
    points = list(space.points())
    assert points[:3] == [
        {"learning_rate": 1e-4, "seed": 0},
        {"learning_rate": 1e-4, "seed": 1},
        {"learning_rate": 1e-3, "seed": 0},
    ]
    assert space.size == len(points) == 8
    assert Space({}, (Parameter("dropout", low=0.0, high=1.0),)).size is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            [Parameter("dropout", low=0.5, high=1.5)],
            "f: search.dropout: 1.5 does not do: --dropout: must be from 0 to 1, got 1.5",
        ),
        (
            [Parameter("method", choices=("lora", "lorra"))],
            "f: search.method: 'lorra' does not do: unknown method 'lorra'",
        ),
        (
            [Parameter("method.rank", low=0, high=4)],
            "f: search.method.rank: 0 does not do: method 'lora': rank must be at least 1, got 0",
        ),
        (
            [Parameter("method", choices=("full",)), Parameter("method.rank", choices=(1,))],
            "f: search.method.rank: method full has no option 'rank'",
        ),
    ],
)
def test_values_that_train_would_refuse(parameters, message):
    with pytest.raises(UserError) as caught:
        Space({"method": "lora"}, tuple(parameters)).check("f")
    assert str(caught.value).startswith(message)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("train", "parameter", "value", "made"),
    [
        ({}, "optimizer.eps", 1e-6, {"optimizer": "adamw:eps=1e-06"}),
        ({"schedule": "polynomial"}, "schedule.power", 3.0, {"schedule": "polynomial:power=3.0"}),
        ({"adversarial": "fgm"}, "adversarial.epsilon", 0.5, {"adversarial": "fgm:epsilon=0.5"}),
    ],
)
def test_options_of_every_family(train, parameter, value, made):
    space = Space(train, (Parameter(parameter, choices=(value,)),))
    space.check("s.toml")
    assert space.settings({parameter: value}) == made


def test_an_option_of_a_plug_in_that_is_not_given():
    with pytest.raises(UserError, match="adversarial \\(not given\\) has no option 'epsilon'"):
        Space({}, (Parameter("adversarial.epsilon", choices=(1.0,)),)).check("s.toml")
