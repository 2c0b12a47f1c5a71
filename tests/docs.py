"""The generated parts of README.md, from the code that they describe."""

from __future__ import annotations

import ast
from pathlib import Path

from typer.testing import CliRunner

from instructune import records
from instructune.cli import COMMANDS, app
from instructune.methods import methods
from instructune.registry import Family

PACKAGE = Path(__file__).resolve().parents[1] / "instructune"


def help_of(command: str) -> str:
    """`--help` of a command as a text block."""
    result = CliRunner().invoke(app, [command, "--help"], prog_name="instructune")
    return f"```text\n{result.output.rstrip()}\n```\n"


def all_help() -> str:
    """Every command's help, folded away."""
    return "\n".join(
        f"<details><summary><code>instructune {name} --help</code></summary>\n\n{help_of(name)}\n"
        "</details>\n"
        for name in COMMANDS
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def record_fields() -> str:
    """The record's fields and what they mean."""
    rows = [(f"`{name}`", field.meaning) for name, field in records.FIELDS.items()]
    return _table(("field", "meaning"), rows)


def prediction_fields() -> str:
    """What a prediction adds to its record."""
    rows = [(f"`{name}`", meaning) for name, meaning in records.PREDICTION_FIELDS.items()]
    return _table(("field", "meaning"), rows)


def summary_fields() -> str:
    """What a line of `eval` holds."""
    rows = [(f"`{name}`", meaning) for name, meaning in records.SUMMARY_FIELDS.items()]
    return _table(("field", "meaning"), rows)


def families() -> list[Family]:
    """All families of plug-ins."""
    import importlib

    found = []
    for path in sorted(PACKAGE.glob("*/__init__.py")):
        module = importlib.import_module(f"instructune.{path.parent.name}")
        found += [value for value in vars(module).values() if isinstance(value, Family)]
    return found


def plugins() -> str:
    """Every plug-in with its one line."""
    rows = [
        (family.package.rpartition(".")[2], f"`{name}`", family.summary(name))
        for family in families()
        for name in family.names()
    ]
    return _table(("family", "name", "what it is"), rows)


def method_table() -> str:
    """Every method: what is trained of `tiny-llama` by default, if it merges, its paper."""
    rows = []
    for name in methods.names():
        facts = methods.facts(name)
        kind = "adapter" if facts["ADAPTER"] else "model"
        merges = "yes" if facts["MERGES"] else "no" if facts["ADAPTER"] else "-"
        rows.append((f"`{name}`", _share(name), kind, merges, facts["PAPER"] or "-"))
    return _table(("method", "trained of `tiny-llama`", "saved as", "merges", "paper"), rows)


def _share(name: str) -> str:
    """In percent of the model's parameters; of what it does not fit, nothing."""
    import torch

    from instructune.errors import UserError
    from instructune.fetching.modelfiles import resolve
    from instructune.libraries import quiet
    from instructune.models import load_model

    model = load_model(resolve("tiny-llama"), dtype=torch.float32)
    whole = sum(p.numel() for p in model.parameters())
    # without the library that packs the frozen weights, what is trained is known all the same
    _, method, options = methods.configure({"qlora": "lora", "loftq": "lora"}.get(name, name))
    try:
        with quiet():
            model = method.apply(model, options)
    except UserError:
        return "none: no biases" if name == "bitfit" else "-"
    return f"{sum(p.numel() for p in model.parameters() if p.requires_grad) / whole:.2%}"


def file_map() -> str:
    """Every module with the first line of its docstring; plug-ins have a table of their own."""
    plug_ins = {family.folder for family in families()}
    folders = [folder for folder in sorted(PACKAGE.iterdir()) if (folder / "__init__.py").is_file()]
    lines = [_mapped("instructune/", path) for path in sorted(PACKAGE.glob("[!_]*.py"))]
    for folder in folders:
        lines.append(_mapped("instructune/", folder / "__init__.py"))
        if folder not in plug_ins:
            lines += [_mapped("  ", path) for path in sorted(folder.glob("[!_]*.py"))]
    return "```text\n" + "\n".join(lines) + "\n```\n"


def _mapped(before: str, path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    name = f"{path.parent.name}/" if path.name == "__init__.py" else path.name
    return f"{before + name:<34} {text.partition(chr(10))[0]}"
