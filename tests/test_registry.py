"""registry: families of plug-ins, and their options as text."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Literal

import pytest

from instructune.errors import Told, UserError
from instructune.filters import filters
from instructune.formats import formats
from instructune.registry import Family, respelled, spelled
from tests import docs


@dataclass(frozen=True)
class Options:
    rank: int = 8
    alpha: float | None = None
    bias: bool = False
    name: str = "x"
    kind: Literal["one", "two"] = "one"
    modules: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Required:
    path: str


@pytest.fixture
def family() -> Family:
    family = Family("method", "instructune.methods")
    for name, options in {"fake": Options, "needy": Required, "plain": None}.items():
        family._modules[name] = SimpleNamespace(**({"Options": options} if options else {}))
    return family


def test_names_are_file_names_without_the_private_ones():
    assert {"alpaca", "completion", "messages", "record", "sharegpt", "text"} <= set(
        formats.names()
    )
    assert not [name for name in formats.names() if name.startswith("_")]
    assert formats.names() == sorted(formats.names())


def test_names_summaries_and_facts_import_no_plug_in():
    program = """
import sys
from instructune.methods import methods
from instructune.objectives import objectives
for family in (methods, objectives):
    for name in family.names():
        family.summary(name), family.facts(name)
print([m for m in sys.modules if m.startswith(("instructune.methods.", "torch"))])
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout == b"[]\n"


def test_a_plug_in_is_imported_once_and_by_name():
    assert formats["alpaca"] is formats["alpaca"]
    assert formats["alpaca"].__name__ == "instructune.formats.alpaca"


def test_an_unknown_name_gets_a_hint():
    with pytest.raises(UserError) as caught:
        formats["alpacca"]
    assert str(caught.value) == "unknown format 'alpacca'\n  hint: did you mean 'alpaca'?"
    assert caught.value.code == 2


@pytest.mark.parametrize("name", ["_turns", "../errors", "", "alpaca.py", "__init__"])
def test_no_other_module_can_be_reached(name):
    with pytest.raises(UserError):
        formats[name]


def test_summary_is_the_first_line_of_the_docstring():
    assert formats.summary("text") == "Plain text: `text`, for language modelling."


def test_facts_are_the_literal_constants():
    assert formats.facts("text") == {"TAKES": ("text",)}
    assert "TAKES" not in formats.facts("record")  # computed, so no literal


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("fake", Options()),
        ("fake:", Options()),
        ("fake:rank=4", Options(rank=4)),
        ("fake: rank = 4 , alpha = .5", Options(rank=4, alpha=0.5)),
        ("fake:bias=yes,kind=two", Options(bias=True, kind="two")),
        ("fake:bias=FALSE", Options(bias=False)),
        ("fake:modules=q+v,sizes=1+2", Options(modules=("q", "v"), sizes=(1, 2))),
        ("fake:modules=", Options(modules=())),
        (r"fake:name=a\,b=c,rank=2", Options(name="a,b=c", rank=2)),
        (r"fake:modules=a\+b+c", Options(modules=("a+b", "c"))),
        (r"fake:name=\d+\+", Options(name=r"\d+\+")),
        ("plain", None),
    ],
)
def test_configure(family, spec, expected):
    assert family.configure(spec)[2] == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("fake:rnak=4", "method 'fake' has no option 'rnak'\n  hint: did you mean 'rank'?"),
        ("fake:rank", "'fake:rank': expected key=value, got 'rank'"),
        ("fake:rank=1,rank=2", "'fake:rank=1,rank=2': 'rank' is given twice"),
        ("fake:rank=four", "method 'fake': rank must be int, got 'four'"),
        ("fake:rank=1.5", "method 'fake': rank must be int, got '1.5'"),
        ("fake:alpha=nan", "method 'fake': alpha must be a finite number, got 'nan'"),
        ("fake:alpha=-inf", "method 'fake': alpha must be a finite number, got '-inf'"),
        ("fake:alpha=1e400", "method 'fake': alpha must be a finite number, got '1e400'"),
        ("fake:bias=maybe", "method 'fake': bias must be bool, got 'maybe'"),
        ("fake:kind=too", "method 'fake': kind cannot be 'too'\n  hint: did you mean 'two'?"),
        ("fake:sizes=1+x", "method 'fake': sizes must be int, got 'x'"),
        ("plain:a=1", "method 'plain' takes no options, got a"),
        ("needy", "method 'needy' needs the option 'path'"),
    ],
)
def test_wrong_options_are_usage_errors(family, spec, message):
    with pytest.raises(UserError) as caught:
        family.configure(spec)
    assert str(caught.value) == message
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"rank": 4, "alpha": 1e-05, "bias": True},
        {"name": "a,b=c"},
        {"modules": ["a,b", "c+d", "e"], "sizes": [3, 4]},
    ],
)
def test_what_is_spelled_is_read_back(family, options):
    read = family.configure(spelled("fake", options))[2]
    assert read == Options(**{k: tuple(v) if type(v) is list else v for k, v in options.items()})


def test_help_tells_of_every_option(family):
    with pytest.raises(Told) as caught:
        family.configure("fake:help")
    assert caught.value.text.splitlines()[-7:] == [
        "  rank     whole number; default 8",
        "  alpha    number",
        "  bias     true or false; default false",
        "  name     text; default x",
        "  kind     one or two; default one",
        "  modules  text, several joined by +",
        "  sizes    whole number, several joined by +",
    ]
    assert family.help("needy").endswith("  path  text; must be given")
    assert family.help("plain").endswith("It takes no options.")


def test_help_holds_the_plug_ins_own_words():
    told = filters.help("duplicates").splitlines()
    assert told[0].startswith("filter duplicates: Drops repeated rows")
    assert any("least Jaccard similarity" in line for line in told)


@pytest.mark.parametrize("family", docs.families(), ids=lambda family: family.kind)
def test_every_plug_in_has_help(family):
    for name in family.names():
        text = family.help(name)
        assert text.startswith(f"{family.kind} {name}: ")
        options = getattr(family[name], "Options", None)
        for field in dataclasses.fields(options) if options else ():
            assert f"\n  {field.name}" in text
            assert "typing." not in text


@pytest.mark.parametrize(
    ("spec", "options", "expected"),
    [
        ("fake", {}, "fake"),
        ("fake", {"rank": 4}, "fake:rank=4"),
        ("fake:rank=2,bias=true", {"rank": 4}, "fake:rank=4,bias=true"),
        (r"fake: name = a\,b , rank=2", {"alpha": 0.5}, r"fake:name=a\,b,rank=2,alpha=0.5"),
        (r"fake:modules=a\+b+c", {"bias": False}, r"fake:modules=a\+b+c,bias=false"),
    ],
)
def test_a_spec_with_other_options(family, spec, options, expected):
    found = respelled(spec, options)
    assert found == expected
    before, after = (family.configure(text)[2] for text in (spec, found))
    assert after == dataclasses.replace(before, **options)
