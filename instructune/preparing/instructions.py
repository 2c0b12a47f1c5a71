"""Instruction templates: labelled rows in, chats out, each in one of several phrasings.

The manner of FLAN (Wei et al. 2021, arXiv 2109.01652) and T0 (Sanh et al. 2021, arXiv 2110.08207):
a task is said in many ways, with and without worked examples.
"""

from __future__ import annotations

import hashlib
import random
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from instructune.errors import Told, UserError, did_you_mean, usage
from instructune.files import open_input
from instructune.records import BODIES, Record
from instructune.registry import described, fill
from instructune.templating.sandbox import Program
from instructune.texts import is_chinese, prompt_of

BUILT_IN = Path(__file__).parents[1] / "instruction_templates"
Examples = Callable[[int, Callable[[Record], bool]], list[Record]]
_PARTS = ("instruction", "input", "output")
_ASIDE = frozenset([*BODIES, "tags", "entities", "relations", "references"])


@dataclass(frozen=True)
class Options:
    """How rows are phrased.

    `shots`: worked examples before the question, drawn for each row from these numbers.
    `style`: examples as turns of the chat, or as text in the one question.
    `language`: of the phrasing; auto asks in Chinese where the row is Chinese.
    `phrasings`: one drawn for each row, or all, as records of one group.
    `set`: fields that every row gets, as `name=value`.
    """

    shots: tuple[int, ...] = (0,)
    style: Literal["turns", "text"] = "turns"
    language: Literal["auto", "en", "zh"] = "auto"
    phrasings: Literal["one", "all"] = "one"
    set: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.shots or min(self.shots) < 0:
            raise usage("must be numbers from 0 on, such as 0+2+4", where="--template: shots")
        for pair in self.set:
            if "=" not in pair:
                raise usage(f"expected name=value, got {pair!r}", where="--template: set")


class Phrasing:
    """One way to put a task: programs for the instruction, the input and the answer."""

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.language = table.get("language", "en")
        unknown = sorted(table.keys() - {*_PARTS, "language"})
        if unknown:
            hint = did_you_mean(unknown[0], [*_PARTS, "language"])
            raise usage(f"a phrasing has no {unknown[0]!r}", where=where, hint=hint)
        for part in ("instruction", "output"):
            if not isinstance(table.get(part), str):
                raise usage(f"a phrasing needs {part!r}, a text", where=where)
        self._parts = {part: Program(str(table.get(part, ""))) for part in _PARTS}
        needs = frozenset[str]().union(*(program.needs for program in self._parts.values()))
        self.needs = needs - {"labels"}

    def fits(self, variables: Mapping[str, Any]) -> bool:
        """Whether all that it reads is there."""
        return all(variables.get(name) not in (None, "") for name in self.needs)

    def question(self, variables: Mapping[str, Any]) -> str:
        """Instruction and input, an empty line between them."""
        parts = (self._parts[part].run(**variables).strip() for part in ("instruction", "input"))
        return "\n\n".join(filter(None, parts))

    def answer(self, variables: Mapping[str, Any]) -> str:
        """What is to be said."""
        return self._parts["output"].run(**variables).strip()


class Instructions:
    """A template file: a task and its phrasings, filled from the fields of labelled records."""

    def __init__(self, spec: str, seed: int = 0) -> None:
        """`spec` is `NAME|FILE[:key=value,…]` with the keys of `Options`."""
        name, given = parted(spec)
        self.options: Options = fill(Options, given, f"--template {name}")
        self.seed, self.name = seed, name
        table = _read(name)
        self.task: str = table["task"]
        self.phrasings = [Phrasing(entry, name) for entry in table["phrasing"]]

    @property
    def needs(self) -> frozenset[str]:
        """The fields that any of its phrasings reads."""
        return frozenset[str]().union(*(phrasing.needs for phrasing in self.phrasings))

    def build(self, record: Record, labels: Sequence[str], examples: Examples) -> list[Record]:
        """The chats of a labelled record; empty where no phrasing has the fields it needs.

        `labels` are all those of the data; `examples(k, fits)` draws k other records that fit.
        """
        variables = self._variables(record, labels)
        draw = random.Random(_hash(self.seed, record["id"]))
        fitting = self._fitting(record, variables)
        if not fitting:
            return []
        chosen = fitting if self.options.phrasings == "all" else [draw.choice(fitting)]
        made = []
        for number, phrasing in enumerate(chosen):
            fits = partial(self._fits, phrasing, labels)
            drawn = examples(draw.choice(self.options.shots), fits)
            shown = [self._variables(example, labels) for example in drawn]
            chat = _chat(record, self._turns(phrasing, variables, shown), self.task, bool(shown))
            if len(chosen) > 1:
                chat["group"] = record.get("group", record["id"])
                chat["id"] = f"{record['id']}-p{number + 1}"
            made.append(chat)
        return made

    def _variables(self, record: Record, labels: Sequence[str]) -> dict[str, Any]:
        """What a template may name: fields, columns, `labels` and `entities`."""
        found = {**record.get("fields", {}), **record, "labels": list(labels)}
        found |= dict(pair.split("=", 1) for pair in self.options.set)
        if "tags" in record:
            found["entities"] = _tagged(record["tokens"], record["tags"])
            found["text"] = _joined(record["tokens"])
        elif "entities" in record and "text" in record:
            text = record["text"]
            found["entities"] = [
                {"type": entity.get("type"), "text": text[entity["start"] : entity["end"]]}
                for entity in record["entities"]
            ]
        return found

    def _fits(self, phrasing: Phrasing, labels: Sequence[str], record: Record) -> bool:
        return phrasing.fits(self._variables(record, labels))

    def _fitting(self, record: Record, variables: Mapping[str, Any]) -> list[Phrasing]:
        language = self.options.language
        if language == "auto":
            language = "zh" if is_chinese(prompt_of(record)) else "en"
        fitting = [phrasing for phrasing in self.phrasings if phrasing.fits(variables)]
        return [one for one in fitting if one.language == language] or fitting

    def _turns(
        self,
        phrasing: Phrasing,
        variables: Mapping[str, Any],
        examples: Sequence[Mapping[str, Any]],
    ) -> list[dict[str, str]]:
        """Each example and the row as question and answer, or all in one question."""
        pairs = [(phrasing.question(one), phrasing.answer(one)) for one in (*examples, variables)]
        if self.options.style == "text" and len(pairs) > 1:
            shown = [f"{question}\n\n{answer}" for question, answer in pairs[:-1]]
            pairs = [("\n\n---\n\n".join([*shown, pairs[-1][0]]), pairs[-1][1])]
        turns = []
        for question, answer in pairs:
            turns.append({"role": "user", "content": question})
            turns.append({"role": "assistant", "content": answer})
        return turns


def _chat(record: Record, turns: list[dict[str, str]], task: str, shown: bool) -> Record:
    """The record as a chat; what it was made of is kept under `fields`."""
    made = Record({"id": record["id"], "messages": turns})
    answer = turns[-1]["content"]
    aside = dict(record.get("fields", {}))
    for key, value in record.items():
        if key in _ASIDE or (key == "label" and value != answer):
            aside[key] = value
        elif key not in ("id", "fields"):
            made[key] = value
    made.setdefault("task", task)
    made.setdefault("kind", ["task", "demonstration"] if shown else ["task"])
    made["fields"] = aside
    return made


def _tagged(tokens: Sequence[str], tags: Sequence[str]) -> list[dict[str, str]]:
    """The entities of IOB2 or BIOES tags; an inside tag after another type begins one."""
    spans: list[tuple[str, list[str]]] = []
    before = "O"
    for token, tag in zip(tokens, tags, strict=True):
        mark, _, kind = tag.partition("-")
        inside = mark in ("I", "E") and before.partition("-")[2] == kind
        inside = inside and before[0] in ("B", "I")
        if tag != "O":
            if inside:
                spans[-1][1].append(token)
            else:
                spans.append((kind, [token]))
        before = tag
    return [{"type": kind, "text": _joined(words)} for kind, words in spans]


def _joined(tokens: Sequence[str]) -> str:
    """Tokens as text: Chinese characters without blanks between them."""
    return ("" if is_chinese("".join(tokens)) else " ").join(tokens)


def parted(spec: str) -> tuple[str, dict[str, str]]:
    """`NAME|FILE[:key=value,…]` as the name and its options; `NAME:help` raises what they are."""
    name, _, rest = spec.partition(":")
    if rest.strip() == "help":
        built_in = ", ".join(sorted(path.stem for path in BUILT_IN.glob("*.toml")))
        raise Told(f"instruction templates: {built_in}, or a TOML file\n\n{described(Options)}")
    given = {}
    for pair in filter(None, rest.split(",")):
        key, sign, value = pair.partition("=")
        if not sign:
            raise usage(f"expected key=value, got {pair!r}", where="--template")
        given[key.strip()] = value
    return name, given


def label_names(records: Iterable[Record]) -> list[str]:
    """All labels of the data, in order."""
    found: set[str] = set()
    for record in records:
        label = record.get("label")
        found.update([label] if isinstance(label, str) else label if type(label) is list else [])
    return sorted(found)


def _hash(seed: int, name: str) -> int:
    digest = hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _read(name: str) -> dict[str, Any]:
    """The TOML table of a built-in template or a file."""
    built_in = sorted(path.stem for path in BUILT_IN.glob("*.toml"))
    if name in built_in:
        data = (BUILT_IN / f"{name}.toml").read_bytes()
    elif "." in name or "/" in name:
        with open_input(name) as source:
            data = source.stream.read()
    else:
        hint = did_you_mean(name, built_in)
        raise usage(f"no instruction template {name!r}", where="--template", hint=hint)
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"not TOML ({error})", where=name) from None
    if not isinstance(table.get("task"), str) or not isinstance(table.get("phrasing"), list):
        raise usage("needs a task and [[phrasing]] tables", where=name)
    if not table["phrasing"]:
        raise usage("has no phrasing", where=name)
    return table
