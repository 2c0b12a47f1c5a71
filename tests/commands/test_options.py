"""commands.options: what was typed, what is piped, and how things are said."""

from __future__ import annotations

import io
import os
import sys

import pytest
import typer
from typer.testing import CliRunner

from instructune.commands import options
from instructune.configs import PrepareConfig
from instructune.errors import UserError


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], PrepareConfig(id="hash", sources=("file.jsonl",))),
        (["--id", "own"], PrepareConfig(id="own", sources=("file.jsonl",))),
        (["--id", "prefix", "a", "b"], PrepareConfig(id="prefix", sources=("a", "b"))),
        (["--field", "a=b", "--field", "c=d"], None),
    ],
)
def test_typed_beats_file_even_where_it_is_the_default(write, args, expected):
    found = []
    app = typer.Typer()

    @app.command()
    def command(
        ctx: typer.Context,
        sources: list[str] = typer.Argument(default=[]),
        id: str = "own",
        field: options.FieldMap = [],  # noqa: B006
        config: options.ConfigFile = None,
        json: options.Json = False,
    ) -> None:
        found.append(options.settings(ctx, PrepareConfig))

    file = write("c.toml", 'id = "hash"\nsources = ["file.jsonl"]')
    done = CliRunner().invoke(app, [*args, "--config", file, "--json"])
    assert done.exit_code == 0, done.exception
    expected = expected or PrepareConfig(id="hash", sources=("file.jsonl",), field=("a=b", "c=d"))
    assert found == [expected]


def test_sources_or_standard_input(monkeypatch):
    assert options.stdin_or_given(["a", "b"]) == ("a", "b")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert options.stdin_or_given([]) == ("-",)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UserError, match="no input") as caught:
        options.stdin_or_given([])
    assert caught.value.code == 2


def test_what_counts_as_piped(monkeypatch, write):
    def piped(stream) -> bool:
        monkeypatch.setattr(sys, "stdin", stream)
        return options.stdin_is_piped()

    reading, writing = os.pipe()
    with open(reading) as pipe, open(writing, "w"):
        assert piped(pipe)
    with open(write("f", b"")) as file:
        assert piped(file)
    with open(os.devnull) as nothing:
        assert not piped(nothing)
    assert not piped(io.StringIO("rows"))
    assert not piped(None)


def test_reports_go_to_stderr_for_people_and_programs(capsys):
    options.report("12 rows \x1b[31m", {"out": 12}, as_json=False)
    options.report("12 rows", {"é": "\x1b"}, as_json=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == '12 rows \\x1b[31m\n{"é": "\\u001b"}\n'
