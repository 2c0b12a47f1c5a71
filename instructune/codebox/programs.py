"""The program in an answer: out of its fence, and joined to the prompt that it goes on from."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[^\n]*\n(.*?)(?:^[ \t]*\1[`~]*[ \t]*$|\Z)", re.M | re.S)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def program(answer: str, prompt: str, entry: str | None) -> str:
    """The code to run: the first of these readings that is Python.

    An answer with fenced blocks is the first block that defines `entry`, else all of them, joined.
    Code that defines `entry`, or that answers no piece of code, is whole, and runs after the
    prompt's own imports and helpers. Anything else goes on from the prompt, as it is, or with the
    indentation given back that trimming took: of its first line, or of all lines.
    """
    code = _unfenced(answer, entry)
    start = prelude(prompt)
    if entry is None or start is None or entry in defined(code):
        return f"{start or ''}\n{code}"
    prompt = _code_of(prompt)
    joined = (prompt + body for body in (code, f"    {code}", textwrap.indent(code, "    ")))
    return next(filter(_sound, joined), prompt + code)


def prelude(prompt: str) -> str | None:
    """A prompt that is code as a program of its own, or None where it is prose."""
    code = _code_of(prompt)
    for whole in (code, f"{code.rstrip()}\n    pass\n"):
        if code.strip() and (tree := _parsed(whole)) and _is_code(tree):
            return whole
    return None


def defined(code: str) -> set[str]:
    """The names that code defines at its top level; none where it is not Python."""
    tree = _parsed(code)
    return set(_defined(tree)) if tree else set()


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def classes(code: str) -> set[str]:
    """The names of the classes that code defines at its top level."""
    tree = _parsed(code)
    return {node.name for node in tree.body if isinstance(node, ast.ClassDef)} if tree else set()


def _unfenced(answer: str, entry: str | None) -> str:
    blocks = [textwrap.dedent(found[2]) for found in _FENCE.finditer(answer)]
    if not blocks:
        return answer
    holding = (block for block in blocks if entry in defined(block))
    return next(holding, "\n".join(blocks))


def _code_of(prompt: str) -> str:
    """The last fenced block of a prompt, or the prompt as it is."""
    blocks = [textwrap.dedent(found[2]) for found in _FENCE.finditer(prompt)]
    return blocks[-1] if blocks else prompt


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _is_code(tree: ast.Module) -> bool:
    """Whether it defines something; a word of prose alone would be Python, too."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
    return any(isinstance(node, kinds) for node in tree.body)


def _sound(code: str) -> bool:
    """Whether it is Python, and every return is inside a function."""
    tree = _parsed(code)
    return tree is not None and not any(map(_returns, tree.body))


def _returns(node: ast.AST) -> bool:
    if isinstance(node, _SCOPES):
        return False
    if isinstance(node, ast.Return):
        return True
    return any(map(_returns, ast.iter_child_nodes(node)))
