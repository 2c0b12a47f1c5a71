"""cli: every command's options are its settings, and every failure is one message and a code."""

from __future__ import annotations

import dataclasses
import json
import signal
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from instructune import __version__, cli, configs
from instructune.cli import COMMANDS, app, die_by
from instructune.errors import Exit, Signalled, UserError

GROUP = typer.main.get_command(app)
BESIDE = {"config", "json", "help"}

each_command = pytest.mark.parametrize("name", COMMANDS)


def config_of(name: str) -> type:
    return getattr(configs, f"{name.capitalize()}Config")


@each_command
def test_the_options_are_the_settings(name):
    options = {parameter.name for parameter in GROUP.commands[name].params}
    fields = {field.name for field in dataclasses.fields(config_of(name))}
    assert options - BESIDE == fields
    assert {"config", "json"} <= options


@each_command
def test_the_defaults_are_the_settings_own(name):
    command = GROUP.commands[name]
    context = command.make_context(name, [], resilient_parsing=True)
    for parameter in command.params:
        if parameter.name not in BESIDE:
            default = parameter.get_default(context)
            expected = getattr(config_of(name), parameter.name)
            if isinstance(expected, tuple):
                default = tuple(default or ())
            assert default == expected, parameter.name


@each_command
def test_a_flag_is_the_setting_s_name_with_dashes(name):
    for parameter in GROUP.commands[name].params:
        if parameter.param_type_name == "option":
            assert "--" + parameter.name.replace("_", "-") in parameter.opts


def test_every_config_belongs_to_a_command():
    kinds = {kind for kind in vars(configs).values() if dataclasses.is_dataclass(kind)}
    assert kinds == {config_of(name) for name in COMMANDS}


@each_command
def test_every_option_is_explained(name):
    for parameter in GROUP.commands[name].params:
        assert parameter.help, f"{name}: {parameter.name} has no help"


@pytest.mark.parametrize("args", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_of_everything(run, args):
    done = run(*args)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: instructune")


def test_version(run):
    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"{__version__}\n")


def test_no_arguments_show_the_commands(run):
    done = run()
    assert done.exit_code == 2
    assert all(name in done.stdout + done.stderr for name in COMMANDS)


@each_command
@pytest.mark.parametrize("args", [["--nonsense"], ["--config"]])
def test_wrong_usage_is_2_and_json_where_asked(run, name, args):
    done = run(name, *args)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Error: " in done.stderr
    done = run(name, "--json", *args)
    assert done.exit_code == 2
    assert done.stdout == ""
    told = json.loads(done.stderr)
    assert told["code"] == 2
    assert told["error"]


NUMBERS = [
    (name, field.name, field.type)
    for name in COMMANDS
    for field in dataclasses.fields(config_of(name))
    if field.type.split(" ")[0] in ("int", "float")
]


@pytest.mark.parametrize(
    ("name", "field", "type"), NUMBERS, ids=[f"{name} {field}" for name, field, _ in NUMBERS]
)
def test_no_number_option_takes_what_is_none(run, name, field, type):
    flag = "--" + field.replace("_", "-")
    for value in ("nan", "inf", "-1", "1e400", "1" + "0" * 30, "", "one"):
        if type.startswith("float") and value == "1" + "0" * 30:
            continue
        done = run(name, f"{flag}={value}")
        assert done.exit_code == 2, (flag, value, done.stderr)
        assert flag in done.stderr
        assert done.stdout == ""


@pytest.fixture
def failing(monkeypatch):
    """An app with one command that raises what it is told to."""
    raised = {}

    def command(ctx: typer.Context, json: bool = typer.Option(False, "--json")) -> None:
        raise raised["error"]

    made = typer.Typer(cls=cli.Group, rich_markup_mode=None, pretty_exceptions_enable=False)
    made.command("fail", cls=cli.Command)(command)
    made.command("other", cls=cli.Command)(command)

    def fail(error, *args):
        raised["error"] = error
        return CliRunner().invoke(made, ["fail", *args])

    return fail


def test_an_error_is_one_message_on_stderr(failing):
    error = UserError("bad \x1b[31mrow", where="f:1", hint="mend it")
    done = failing(error)
    assert (done.exit_code, done.stdout) == (65, "")
    assert done.stderr == "error: f:1: bad \\x1b[31mrow\n  hint: mend it\n"


def test_an_error_is_one_object_where_json_was_asked_for(failing):
    done = failing(UserError("é\n", where="f:1"), "--json")
    assert (done.exit_code, done.stdout) == (65, "")
    assert json.loads(done.stderr) == {"error": "é\n", "where": "f:1", "hint": None, "code": 65}
    assert done.stderr.count("\n") == 1


def test_json_is_asked_for_by_the_option_alone(failing, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["instructune", "--json"])
    assert failing(UserError("x")).stderr == "error: x\n"


def test_out_of_memory_is_71(failing):
    done = failing(MemoryError())
    assert done.exit_code == Exit.OUT_OF_MEMORY
    assert done.stderr.startswith("error: out of memory\n  hint: ")


def test_a_bug_keeps_its_traceback(failing):
    done = failing(ZeroDivisionError("ours"))
    assert done.exit_code == 1
    assert isinstance(done.exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("raised", "number"),
    [
        (BrokenPipeError(), signal.SIGPIPE),
        (KeyboardInterrupt(), signal.SIGINT),
        (Signalled(signal.SIGTERM), signal.SIGTERM),
    ],
)
def test_signals_reach_the_top(failing, raised, number):
    with pytest.raises(Signalled) as caught:
        failing(raised)
    assert caught.value.number == number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGPIPE])
def test_the_process_ends_by_the_signal(number):
    program = f"from instructune.cli import die_by; die_by({int(number)})"
    assert subprocess.run([sys.executable, "-c", program]).returncode == -number
    assert callable(die_by)


def test_the_last_words_of_what_was_stopped_are_told():
    program = """
import typer
from instructune import cli
from instructune.errors import Signalled
class Stopped(Signalled):
    message = "stopped after step 3"
def command(ctx: typer.Context, json: bool = False) -> None:
    raise Stopped(15)
cli.app.command("stop", cls=cli.Command)(command)
import sys
sys.argv = ["instructune", "stop"]
cli.main()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert (done.returncode, done.stderr) == (-15, b"stopped after step 3\n")


def test_it_runs_as_a_module_and_as_a_script(tune):
    assert tune("--version").stdout.decode() == f"{__version__}\n"
    script = subprocess.run(
        [sys.executable, "-c", "from instructune.cli import main; main()", "--version"],
        capture_output=True,
    )
    assert script.stdout.decode() == f"{__version__}\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("prepare", "--filter", "duplicates:help"), "keep   first or longest; default first"),
        (("prepare", "--transform", "paraphrase:help"), "transform paraphrase: "),
        (("prepare", "--container", "csv:help"), "container csv: "),
        (("prepare", "--template", "ner:help"), "shots      whole number, several joined by +"),
        (("eval", "p.jsonl", "--metric", "rouge_l:help"), "stemmer  true or false"),
    ],
)
def test_help_of_a_plug_in_is_no_failure(args, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.jsonl").write_text('{"id":"a","prediction":"b","references":["b"]}\n')
    done = CliRunner().invoke(app, list(args))
    assert (done.exit_code, done.stderr) == (0, "")
    assert told in done.stdout
