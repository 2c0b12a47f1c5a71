"""Entities that a free-text answer names: as JSON, in tags, or `TYPE: text; …` and lines alike."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from instructune.entities.typenames import TypeNames
from instructune.jsonl import loads

_NOTHING = frozenset(
    [
        "none",
        "no entities",
        "no entity",
        "no relations",
        "no entities found",
        "there are no entities",
        "nothing",
    ]
    + ["null", "n/a", "na", "nil", "o", "-", "empty", "[]", "{}", "无", "没有", "无实体", "空"]
    + ["没有实体", "没有关系", "无关系", "未发现实体", "不存在"]
)
_FENCE = re.compile(r"```[^\S\n]*\w*[^\S\n]*\n(.*?)```", re.DOTALL)
_TAGGED = re.compile(r"<([^<>/\s]{1,60})>(.{0,300}?)</\1>", re.DOTALL)
_LINKED = re.compile(r"\[([^\[\]\n]+)\]\(([^()\n]+)\)")
_BULLET = re.compile(r"^[\s|]*(?:[-*+•·]|\(?\d{1,3}[.)、])\s+")
_SIGN = re.compile(r"\s*(?:[:：|\t]|=>?|->|→|\s[-–—]+\s)\s*")
_BRACKETS = r"()（）\[\]【】"
_BRACKETED = re.compile(
    rf"([^,，、{_BRACKETS}]{{1,200}}?)\s*[(（\[【]([^{_BRACKETS}]{{1,60}})[)）\]】]"
)
_PART = re.compile(r'(?:"[^"]*"|&#?\w{1,10};|[^;；])+')
_ITEM = re.compile(r'(?:"[^"]*"|[^,，、])+')
_QUOTES = " \t\r*`\"'“”‘’「」"
# names of fields for a text, its type, and a list of both
_TEXTS = ("text", "mention", "word", "name", "entity", "span", "value", "surface", "实体", "名称")
_KINDS = ("type", "label", "entity_type", "entity_group", "category", "class", "tag", "类型")
_LISTS = ("entities", "named_entities", "entity_list", "spans", "results", "实体", "entity")


class Mention(NamedTuple):
    """A text and the type that the answer gives it, in the references' name where they have it."""

    text: str
    type: str


def mentions(answer: str, types: TypeNames) -> list[Mention] | None:
    """The entities of an answer in the order it names them; None where it cannot be read.

    Read are, the first that fits: a word for none (`none`, `无`, `[]`); JSON, whole, fenced or
    within prose: objects with a text and a type, pairs of them, or lists of texts by type; texts
    tagged inline, `<PER>…</PER>` or `[…](PER)`; lines or parts between semicolons that say
    `TYPE: text, text`, `text: TYPE`, `text (TYPE)`, with any of : | - → = or a Chinese colon, and
    a heading `TYPE:` over a list. Other words are passed over. A text that holds a comma or
    semicolon stands in double quotes there.
    """
    if says_none(answer):
        return []
    for value in json_values(answer):
        if (found := _of_json(value, types)) is not None:
            return found
    tagged = [
        *((m[2], types.read(m[1])) for m in _TAGGED.finditer(answer)),
        *((m[1], types.read(m[2])) for m in _LINKED.finditer(answer)),
    ]
    if found := [Mention(text.strip(), kind) for text, kind in tagged if kind and text.strip()]:
        return found
    return _of_lines(answer, types)


def says_none(answer: str) -> bool:
    """Whether all that an answer says is that there are none."""
    return answer.strip().strip(".。!！").strip().casefold() in _NOTHING


def json_values(answer: str) -> Iterator[Any]:
    """JSON lists and objects in an answer: in fences, whole, or from the first bracket on."""
    candidates = [*_FENCE.findall(answer), answer]
    starts = [at for at in (answer.find("["), answer.find("{")) if at >= 0]
    if starts:
        candidates.append(answer[min(starts) : max(answer.rfind("]"), answer.rfind("}")) + 1])
    for text in candidates:
        try:
            value = loads(text.strip())
        except ValueError:
            continue
        if isinstance(value, list | dict):
            yield value


def _of_json(value: Any, types: TypeNames) -> list[Mention] | None:
    if isinstance(value, list):
        parts = [_of_item(item, types) for item in value]
        if any(part is None for part in parts):
            return None
        return [mention for part in parts for mention in part or ()]
    for name in _LISTS:
        if isinstance(value.get(name), list | dict) and types.known(name) is None:
            return _of_json(value[name], types)
    return _of_item(value, types)


def _of_item(item: Any, types: TypeNames) -> list[Mention] | None:
    """The mentions of one entry of a list; None where it is none of the known shapes."""
    if isinstance(item, str):
        return _of_lines(item, types)
    if isinstance(item, list):
        if len(item) != 2 or not all(isinstance(part, str) for part in item):
            return None
        return _sided(item[0], item[1], types)
    if not isinstance(item, dict):
        return None
    kind = next((item[name] for name in _KINDS if isinstance(item.get(name), str)), None)
    names: tuple[str, ...] = _TEXTS
    if kind is None and isinstance(item.get("word"), str):
        kind, names = item.get("entity"), ("word",)
    text = next((item[key] for key in names if isinstance(item.get(key), str)), None)
    if isinstance(kind, str) and text is not None:
        return [Mention(text.strip(), types.known(kind) or kind.strip())]
    found = [_by_type(name, texts, types) for name, texts in item.items()]
    if any(part is None for part in found):
        return None
    return [mention for part in found for mention in part or ()]


def _by_type(name: str, value: Any, types: TypeNames) -> list[Mention] | None:
    """`{"PER": ["Ann"]}`, or `{"Ann": "PER"}` where only the value is a type."""
    if isinstance(value, str) and types.rank(value) > types.rank(name):
        return _sided(name, value, types)
    if not (kind := types.read(name)):
        return None
    values = [] if value is None else value if isinstance(value, list) else [value]
    texts = []
    for part in values:
        if isinstance(part, dict):
            part = next((part[key] for key in _TEXTS if isinstance(part.get(key), str)), None)
        if not isinstance(part, str):
            return None
        texts.append(part.strip())
    return [Mention(text, kind) for text in texts if text and text.casefold() not in _NOTHING]


def _sided(left: str, right: str, types: TypeNames) -> list[Mention] | None:
    """A text and a type, whichever comes first."""
    left, right = left.strip(_QUOTES), right.strip(_QUOTES)
    pairs = [(left, right), (right, left)]
    if types.rank(right) > types.rank(left):
        pairs.reverse()
    return next(([Mention(t, kind)] for name, t in pairs if (kind := types.read(name))), None)


def _of_lines(answer: str, types: TypeNames) -> list[Mention] | None:
    found: list[Mention] = []
    told, heading = False, None
    for line in answer.split("\n"):
        for part in _PART.findall(line):
            bullet = _BULLET.match(part)
            chunk = part[bullet.end() :] if bullet else part
            read = _of_chunk(chunk.strip(" \t\r|").rstrip("。"), types)
            if read is None:
                if heading and bullet and chunk.strip():
                    found.append(Mention(chunk.strip(_QUOTES), heading))
                continue
            told = True
            mentions_here, heading = read
            found += mentions_here
    return found if told else None


def _of_chunk(chunk: str, types: TypeNames) -> tuple[list[Mention], str | None] | None:
    """The mentions of a part of a line, and the type of a list that it heads."""
    sign = _SIGN.search(chunk)
    if sign:
        left, right = chunk[: sign.start()], chunk[sign.end() :]
        if not right.strip(_QUOTES):
            kind = types.read(left)
            return ([], kind) if kind else None
        if types.rank(right) > types.rank(left):
            return _sided(left, right, types) or [], None
        if kind := types.read(left):
            return list(_listed(right, kind, types)), None
    pairs = [(m[1].strip(_QUOTES), types.read(m[2])) for m in _BRACKETED.finditer(chunk)]
    if pairs and all(text and kind for text, kind in pairs):
        return [Mention(text, kind) for text, kind in pairs if kind], None
    return None


def _listed(texts: str, kind: str, types: TypeNames) -> Iterator[Mention]:
    """Texts between commas; one with a type of its own before a colon starts another list."""
    for part in _ITEM.findall(texts):
        left, sign, right = re.sub("：", ":", part, count=1).partition(":")
        if sign and (other := types.known(left)):
            kind, part = other, right
        text = part.strip(_QUOTES)
        if text and text.casefold() not in _NOTHING:
            yield Mention(text, kind)
