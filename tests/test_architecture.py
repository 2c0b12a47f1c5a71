"""The rules that keep the package what DESIGN says it is, read off its source."""

from __future__ import annotations

import ast
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from instructune.registry import Family

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "instructune"
MODULES = sorted(PACKAGE.rglob("*.py"))
FAMILIES = sorted(
    folder.parent.name
    for folder in PACKAGE.glob("*/__init__.py")
    if "Family(" in folder.read_text(encoding="utf-8")
)
HEAVY = {"torch", "transformers", "peft", "accelerate", "datasets"}

# The modules that may import torch and its kin at the top: reached from stages alone.
WITH_TORCH = {
    "adapters",
    "libraries",
    "answering.caches",
    "answering.decoding",
    "answering.encoded",
    "answering.forward",
    "answering.likelihood",
    "answering.pooling",
    "answering.running",
    "attribution.attentions",
    "attribution.attributions",
    "bottlenecks",
    "fetching.dequantization",
    "hardware",
    "memory",
    "models",
    "optimizers._lion",
    "quantization",
    "training.averages",
    "training.checkpoints",
    "training.embeddings",
    "training.fitting",
    "training.heads",
    "training.layerrates",
    "training.layouts",
    "training.losses",
    "training.optimizers",
    "training.regularizers",
    "training.resuming",
    "training.saving",
    "training.trainer",
    "training.unpadding",
}


def dotted(path: Path) -> str:
    """`instructune/metrics/f1.py` as `metrics.f1`; the package itself as the empty string."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that an import statement may load, in full."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        yield node.module or ""
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def all_imports(path: Path) -> set[str]:
    """Every import of a module, wherever it stands, for type checking too."""
    return {name for node in ast.walk(tree(path)) for name in imported(node)}


def top_imports(path: Path) -> set[str]:
    """What importing the module imports."""
    return {name for node in tree(path).body for name in imported(node)}


def own(names: set[str]) -> set[str]:
    return {n.removeprefix("instructune.") for n in names if n.startswith("instructune.")}


def layer(module: str) -> int:
    """0 core, 1 stages, 2 commands, 3 the command line."""
    first = module.split(".")[0]
    return {"stages": 1, "commands": 2, "cli": 3, "__main__": 3}.get(first, 0)


each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: dotted(path) or "package")


@each_module
def test_imports_point_down(path):
    here = dotted(path)
    above = {name for name in own(all_imports(path)) if layer(name) > layer(here)}
    assert not above, f"{here} imports {above}"


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("errors", set()),
        ("chats", set()),
        ("records", {"chats"}),
        ("registry", {"errors"}),
        ("bounds", {"errors"}),
        ("configs", {"bounds", "errors"}),
    ],
)
def test_the_foundations_rest_on_nothing(module, allowed):
    found = {name.split(".")[0] for name in own(all_imports(PACKAGE / f"{module}.py"))}
    assert found <= allowed


@each_module
def test_only_the_command_line_knows_about_the_terminal(path):
    here = dotted(path)
    if layer(here) < 2:
        roots = {name.split(".")[0] for name in all_imports(path)}
        assert not roots & {"typer", "rich", "click"}
        printing = [
            node.lineno
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "print"
        ]
        assert not printing, f"{here} prints in lines {printing}"


@each_module
def test_torch_is_imported_only_where_it_is_needed(path):
    here = dotted(path)
    if here not in WITH_TORCH:
        heavy = {name.split(".")[0] for name in top_imports(path)} & HEAVY
        assert not heavy, f"{here} imports {heavy} at the top and is not in WITH_TORCH"


def test_the_list_of_torch_modules_is_exact():
    found = {
        dotted(path)
        for path in MODULES
        if {name.split(".")[0] for name in top_imports(path)} & HEAVY
    }
    assert found == WITH_TORCH


@pytest.mark.parametrize("family", FAMILIES)
def test_a_plug_in_never_imports_a_sibling(family):
    for path in (PACKAGE / family).glob("*.py"):
        siblings = {
            name
            for name in own(all_imports(path))
            if name.startswith(f"{family}.") and name != f"{family}.{family}"
        }
        strangers = {name for name in siblings if not name.split(".")[1].startswith("_")}
        assert not strangers, f"{dotted(path)} imports {strangers}"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_its_folder(family):
    module = importlib.import_module(f"instructune.{family}")
    held = getattr(module, family)
    assert isinstance(held, Family)
    assert held.package == module.__name__
    files = {path.stem for path in (PACKAGE / family).glob("[!_]*.py")}
    assert set(held.names()) == files


@pytest.mark.parametrize("family", FAMILIES)
def test_every_plug_in_says_what_it_is_in_a_line(family):
    held: Family = getattr(importlib.import_module(f"instructune.{family}"), family)
    for name in held.names():
        assert held.summary(name), f"{family}/{name}.py has no docstring"
        assert held.summary(name).endswith("."), f"{family}/{name}.py: no sentence"
        assert len(held.summary(name)) <= 100


def test_every_module_says_what_it_is_in_a_line():
    for path in MODULES:
        line = (ast.get_docstring(tree(path)) or "").partition("\n")[0]
        assert line.endswith("."), f"{dotted(path)}: {line!r}"


def test_every_module_has_a_test_file():
    missing = []
    for path in MODULES:
        if path.stem.startswith("_"):  # helpers of a family, tested through its plug-ins
            continue
        mirror = Path("tests") / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
        if not (ROOT / mirror).is_file():
            missing.append(str(mirror))
    assert not missing, "missing:\n  " + "\n  ".join(missing)


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "torch.load",
    "yaml.load",
    "yaml.unsafe_load",
    "jinja2.Environment",
    "Environment",
    "os.system",
    "os.popen",
    "tempfile.mktemp",
    "numpy.load",
    "np.load",
}


def spelt(node: ast.AST) -> str:
    """`torch.load` of the expression `torch.load`."""
    if isinstance(node, ast.Attribute):
        return f"{spelt(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "…"


def dangers(path: Path) -> Iterator[str]:
    roots = {name.split(".")[0] for name in all_imports(path)}
    yield from (f"imports {name}" for name in roots & FORBIDDEN_MODULES)
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        if spelt(node.func) in FORBIDDEN_CALLS or spelt(node.func).endswith(".extractall"):
            yield f"line {node.lineno}: {spelt(node.func)}()"
        for keyword in node.keywords:
            if (
                keyword.arg in ("shell", "trust_remote_code", "allow_pickle")
                and getattr(keyword.value, "value", True) is not False
            ):
                yield f"line {node.lineno}: {keyword.arg}="


# the two sides of a sandbox, which are locked up before they get anything to run
INSIDE_THE_SANDBOX = {"codebox.answerer": 2, "codebox.tester": 2}


@each_module
def test_nothing_runs_what_it_reads(path):
    assert len(list(dangers(path))) == INSIDE_THE_SANDBOX.get(dotted(path), 0), list(dangers(path))


def test_nobody_imports_the_sides_of_the_sandbox_but_its_warden():
    for path in MODULES:
        inside = own(all_imports(path)) & set(INSIDE_THE_SANDBOX)
        assert not inside or dotted(path) == "codebox.warden", dotted(path)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("import pickle", 1),
        ("from joblib import load", 1),
        ("torch.load(f)", 1),
        ("model.eval()", 0),
        ("eval('1')", 1),
        ("re.compile('x')", 0),
        ("run('x', shell=True)", 1),
        ("run('x', shell=flag)", 1),
        ("run('x', shell=False)", 0),
        ("archive.extractall('.')", 1),
        ("jinja2.Environment()", 1),
        ("jinja2.sandbox.ImmutableSandboxedEnvironment()", 0),
        ("from_pretrained(x, trust_remote_code=True)", 1),
    ],
)
def test_the_search_for_dangers_finds_them(tmp_path, source, count):
    path = tmp_path / "module.py"
    path.write_text(source)
    assert len(list(dangers(path))) == count


def config_reads() -> set[tuple[str, str]]:
    """(config class, field) wherever a parameter or attribute of that class is read.

    A read counts in a function with a parameter of the class, or in a class that holds one.
    """
    found = set()
    for path in MODULES:
        if layer(dotted(path)) >= 2 or dotted(path) == "configs":
            continue
        for scope in ast.walk(tree(path)):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found |= set(_reads_in(scope))
    return found


def _reads_in(scope: ast.AST) -> Iterator[tuple[str, str]]:
    kinds = {}
    for node in ast.walk(scope):
        if isinstance(node, ast.arg) and node.annotation:
            kinds[node.arg] = ast.unparse(node.annotation)
        elif isinstance(node, ast.AnnAssign):
            kinds[spelt(node.target).rpartition(".")[2]] = ast.unparse(node.annotation)
    for node in ast.walk(scope):
        if isinstance(node, ast.Attribute):
            holder = spelt(node.value).removeprefix("self.")
            yield kinds.get(holder, "").rpartition(".")[2].removesuffix(" | None"), node.attr


def config_fields() -> list[tuple[str, str]]:
    return [
        (node.name, item.target.id)
        for node in tree(PACKAGE / "configs.py").body
        if isinstance(node, ast.ClassDef)
        for item in node.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    ]


def test_every_setting_is_read_by_somebody():
    unread = sorted(set(config_fields()) - config_reads())
    assert len(config_fields()) > 50
    assert not unread, "nothing reads " + ", ".join(".".join(pair) for pair in unread)


def loaded(folder: Path, *args: str) -> set[str]:
    """The packages in memory after a run of the command line in a fresh interpreter."""
    program = f"""
import atexit, json, pathlib, sys
def tell():
    roots = sorted({{name.partition(".")[0] for name in sys.modules}})
    pathlib.Path("modules.json").write_text(json.dumps(roots))
atexit.register(tell)
from instructune.cli import main
sys.argv = ["instructune", *{list(args)!r}]
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads((folder / "modules.json").read_bytes()))


def commands() -> list[str]:
    from instructune.cli import COMMANDS

    return list(COMMANDS)


@pytest.mark.parametrize("args", [(), *((name,) for name in commands())], ids=lambda a: " ".join(a))
def test_help_loads_nothing_heavy(tmp_path, args):
    assert not loaded(tmp_path, *args, "--help") & (HEAVY | {"numpy", "rich", "scipy", "sklearn"})


def test_prepare_loads_nothing_heavy(tmp_path, write):
    write("in.jsonl", [{"text": "t"}])
    found = loaded(tmp_path, "prepare", "in.jsonl", "-o", "out.jsonl")
    assert not found & (HEAVY | {"numpy", "rich", "zstandard", "tokenizers"})


def test_eval_loads_no_torch(tmp_path, write):
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    row = {"id": "1", "origin": "f:1", "messages": turns, "sample": 0, "prediction": "a"}
    write("p.jsonl", [row | {"finish_reason": "stop"}])
    found = loaded(tmp_path, "eval", "p.jsonl", "--metric", "exact_match", "-o", "s.jsonl")
    assert not found & HEAVY
