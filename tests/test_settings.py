"""settings: typed beats file beats default, and a wrong file is told."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from instructune.configs import PrepareConfig, TrainConfig
from instructune.errors import UserError
from instructune.settings import settings


@dataclass(frozen=True)
class Config:
    name: str = "x"
    method: str | None = None
    count: int = 1
    limit: int | None = None
    rate: float | None = None
    quick: bool = False
    names: tuple[str, ...] = ()


def read(write, toml, **typed):
    return settings(Config, typed, write("c.toml", toml))


def test_typed_beats_file_beats_default(write):
    config = read(write, 'name = "file"\ncount = 2', name="typed")
    assert config == Config(name="typed", count=2)
    assert read(write, "count = 2", count=1).count == 1  # typed, though it is the default
    assert settings(Config, {"count": 3}, None) == Config(count=3)


def test_every_kind_of_value(write):
    toml = 'name = "n"\nlimit = 5\nrate = 1e-5\nquick = true\nnames = ["a", "b"]'
    assert read(write, toml) == Config("n", None, 1, 5, 1e-5, True, ("a", "b"))
    assert read(write, "rate = 2").rate == 2.0
    assert type(read(write, "rate = 2").rate) is float
    assert read(write, 'names = "a"').names == ("a",)


def test_names_may_be_spelt_as_flags(write):
    path = write("c.toml", 'batch-size = 4\ntrain_on = "last"')
    config = settings(TrainConfig, {}, path)
    assert (config.batch_size, config.train_on) == (4, "last")


def test_a_table_is_a_plug_in_with_its_options(write):
    toml = '[method]\nname = "lora"\nrank = 4\nbias = true\nmodules = ["q", "v"]\nalpha = 0.5'
    assert read(write, toml).method == "lora:rank=4,bias=true,modules=q+v,alpha=0.5"
    assert read(write, '[method]\nname = "full"').method == "full"
    assert read(write, 'method = "lora:rank=4"').method == "lora:rank=4"
    assert read(write, '[[names]]\nname = "a"\nx = 1\n[[names]]\nname = "b"').names == (
        "a:x=1",
        "b",
    )


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("cuont = 1", "{}: unknown setting 'cuont'\n  hint: did you mean 'count'?"),
        ("count = 1.5", "{}: count: must be a whole number, got 1.5"),
        ("count = true", "{}: count: must be a whole number, got True"),
        ('count = "1"', "{}: count: must be a whole number, got '1'"),
        ("name = 1", "{}: name: must be a text, got 1"),
        ('quick = "yes"', "{}: quick: must be true or false, got 'yes'"),
        ("quick = 1", "{}: quick: must be true or false, got 1"),
        ("rate = nan", "{}: rate: must be a number, got nan"),
        ("rate = inf", "{}: rate: must be a number, got inf"),
        ('rate = "fast"', "{}: rate: must be a number, got 'fast'"),
        ("names = [1]", "{}: names: must be a list of texts, got [1]"),
        ("[count]\nname = 'x'", "{}: count: must be a whole number, got {{'name': 'x'}}"),
        ("[method]\nrank = 4", "{}: method: a table needs a name: the plug-in's"),
        ("[method]\nname = 'x'\n[method.a]\nb = 1", "{}: method: 'a' cannot be a table"),
    ],
)
def test_a_wrong_setting_names_the_file_and_the_key(write, toml, message):
    with pytest.raises(UserError) as caught:
        read(write, toml)
    assert str(caught.value) == message.format(write("c.toml", toml))
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "toml", ["count =", b"\xff", "a = " + "[" * 5000, "count = " + "9" * 5000, "a = 1\na = 2"]
)
def test_what_is_no_toml(write, toml):
    with pytest.raises(UserError, match="not TOML") as caught:
        read(write, toml)
    assert caught.value.code == 2


def test_a_setting_cannot_be_given_twice(write):
    with pytest.raises(UserError, match="'bad_rows' is set twice"):
        settings(PrepareConfig, {}, write("c.toml", 'bad-rows = "fail"\nbad_rows = "fail"'))


def test_a_number_too_large_for_a_float(write):
    with pytest.raises(UserError, match="rate: must be a number"):
        read(write, "rate = 1" + "0" * 400)


def test_a_missing_file_is_told():
    with pytest.raises(UserError) as caught:
        settings(Config, {}, "none.toml")
    assert caught.value.code == 66
