"""Criteria for judging one answer by itself, from a TOML file or built in.

scale = [1, 10]                      # of every criterion that has none of its own

[criteria]
tone = "Is it friendly?"             # a question to the judge

[criteria.safe]
scale = [0, 1]
en = "Is it free of dangerous advice?"
zh = "…"                             # asked where the row is Chinese
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from instructune.errors import UserError, did_you_mean, usage
from instructune.files import open_input

BUILT_IN = Path(__file__).parents[1] / "judge_criteria"
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MOST = 100  # of a scale
_LANGUAGES = ("en", "zh")


class Criterion(NamedTuple):
    """What is asked of an answer, by language, and the whole numbers that answer it."""

    name: str
    questions: Mapping[str, str]
    low: int
    high: int

    def question(self, language: str) -> str:
        """In this language, or in whichever there is."""
        return self.questions.get(language) or next(iter(self.questions.values()))

    def share(self, score: int) -> float:
        """A score as 0 to 1."""
        return (score - self.low) / (self.high - self.low)


def names() -> list[str]:
    """The built-in sets of criteria."""
    return sorted(path.stem for path in BUILT_IN.glob("*.toml"))


def load(name: str) -> list[Criterion]:
    """The criteria of a file, or of a built-in set."""
    if name in names():
        text = (BUILT_IN / f"{name}.toml").read_text(encoding="utf-8")
    else:
        text = _text(name)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise usage(f"not TOML ({error})", where=name) from None
    return _criteria(document, name)


def _text(name: str) -> str:
    try:
        with open_input(name) as source:
            return source.stream.read().decode("utf-8")
    except UnicodeDecodeError:
        raise usage("not UTF-8", where=name) from None
    except UserError as error:
        error.hint = error.hint or f"built in: {', '.join(names())}"
        raise


def _criteria(document: Mapping[str, Any], where: str) -> list[Criterion]:
    _only(document, ("scale", "criteria"), where)
    scale = _scale(document.get("scale", [1, 10]), where)
    found = document.get("criteria")
    if not isinstance(found, dict) or not found:
        raise usage("needs a table [criteria] of names and questions", where=where)
    return [_criterion(name, held, scale, f"{where}: {name}") for name, held in found.items()]


def _criterion(name: str, held: Any, scale: tuple[int, int], where: str) -> Criterion:
    if not _NAME.fullmatch(name):
        raise usage("a criterion is named in small letters, digits and _", where=where)
    if isinstance(held, str):
        held = {"en": held}
    if not isinstance(held, dict):
        raise usage("must be a question or a table", where=where)
    _only(held, ("scale", *_LANGUAGES), where)
    questions = {language: held[language] for language in _LANGUAGES if language in held}
    if not questions or not all(isinstance(q, str) and q.strip() for q in questions.values()):
        raise usage(f"needs a question under {' or '.join(_LANGUAGES)}", where=where)
    return Criterion(name, questions, *_scale(held.get("scale", list(scale)), where))


def _scale(value: Any, where: str) -> tuple[int, int]:
    if (
        not isinstance(value, list)
        or [type(end) for end in value] != [int, int]
        or not 0 <= value[0] < value[1] <= _MOST
    ):
        reason = f"scale must be two whole numbers from 0 to {_MOST}, the lower first"
        raise usage(f"{reason}, got {value!r}", where=where)
    return value[0], value[1]


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise usage(f"unknown key {key!r}", where=where, hint=did_you_mean(key, known))
