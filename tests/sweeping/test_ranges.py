"""ranges: the table [search] as parameters; what cannot be meant is refused with its place."""

from __future__ import annotations

import tomllib

import pytest

from instructune.errors import UserError
from instructune.sweeping.ranges import read_space
from instructune.sweeping.space import Parameter


def parameters(toml: str, **train: object) -> tuple[Parameter, ...]:
    return read_space(train, tomllib.loads(toml), "s.toml").parameters


def test_every_way_to_say_it():
    found = parameters(
        """
        learning-rate = { low = 1e-4, high = 1e-1, log = true }
        batch_size = { low = 2, high = 8, step = 2 }
        dropout = { low = 0, high = 0.5, points = 3 }
        warmup = [0, 0.1]
        schedule = { values = ["cosine", "linear"] }
        [method]
        rank = { low = 2, high = 16 }
        dropout = { low = 0, high = 0.5 }
        target_modules = ["q_proj", "q_proj+v_proj"]
        """,
        method="lora",
    )
    assert found == (
        Parameter("learning_rate", low=1e-4, high=1e-1, log=True),
        Parameter("batch_size", low=2, high=8, step=2),
        Parameter("dropout", low=0.0, high=0.5, points=3),
        Parameter("warmup", (0.0, 0.1)),
        Parameter("schedule", ("cosine", "linear")),
        Parameter("method.rank", low=2, high=16),
        Parameter("method.dropout", low=0.0, high=0.5),
        Parameter("method.target_modules", ("q_proj", "q_proj+v_proj")),
    )
    assert [found[1].is_whole, found[2].is_whole, found[5].is_whole] == [True, False, True]


def test_plug_ins_as_tables_stand_before_their_options():
    found = parameters('"method.rank" = [2, 4]\nmethod = ["full", { name = "lora", alpha = 8 }]')
    assert [parameter.name for parameter in found] == ["method", "method.rank"]
    assert found[0].choices == ("full", "lora:alpha=8")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("", "s.toml: search: has nothing to search"),
        ("learning_rat = [1]", "s.toml: search.learning_rat: is no option of train"),
        ("eval_data = ['a']", "s.toml: search.eval_data: cannot be searched"),
        ("threads = [1, 2]", "s.toml: search.threads: cannot be searched"),
        ("seed.x = [1]", "s.toml: search.seed.x: seed has no options of its own"),
        ("seed = 3", "s.toml: search.seed: expected a list of values, or low and high"),
        ("seed = []", "s.toml: search.seed: has no values"),
        ("seed = [1, 1]", "s.toml: search.seed: has a value twice"),
        ("seed = [1.5]", "s.toml: search.seed: must be a whole number, got 1.5"),
        ("'method.rank' = [[1]]", "s.toml: search.method.rank: values are texts, numbers"),
        ("seed = {values = [1], low = 2}", "s.toml: search.seed: has both values and a range"),
        ("seed = {low = 1, hihg = 2}", "s.toml: search.seed: has no 'hihg'"),
        ("seed = {low = 1}", "s.toml: search.seed: low, high and step are numbers"),
        ("seed = {low = true, high = 2}", "s.toml: search.seed: low, high and step are numbers"),
        ("seed = {low = 0, high = inf}", "s.toml: search.seed: low, high and step are finite"),
        ("seed = {low = 0.5, high = 2}", "s.toml: search.seed: takes whole numbers"),
        ("schedule = {low = 0, high = 2}", "s.toml: search.schedule: takes no numbers"),
        ("seed = {low = 2, high = 2}", "s.toml: search.seed: low must be less than high"),
        ("seed = {low = 0, high = 2, log = true}", "s.toml: search.seed: a range by ratio begins"),
        ("seed = {low = 1, high = 2, log = 1}", "s.toml: search.seed: log is true or false"),
        ("seed = {low = 1, high = 9, log = true, step = 2}", "s.toml: search.seed: a range by rat"),
        ("seed = {low = 1, high = 9, step = 20}", "s.toml: search.seed: step must fit into it"),
        ("seed = {low = 1, high = 9, points = 1}", "s.toml: search.seed: points must be a whole"),
        ("seed = {low = 1, high = 9, points = 3, step = 2}", "s.toml: search.seed: has both step"),
    ],
)
def test_refused(toml, message):
    with pytest.raises(UserError) as caught:
        parameters(toml)
    assert str(caught.value).startswith(message)
    assert caught.value.code == 2
