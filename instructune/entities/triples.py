"""Relations that a free-text answer names: JSON, (head, relation, tail), relation(head, tail)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from instructune.entities.mentions import json_values, says_none
from instructune.entities.typenames import TypeNames

_HEADS = ("head", "subject", "subj", "h", "source", "from", "arg1", "头实体", "主体", "主语")
_TAILS = ("tail", "object", "obj", "t", "target", "to", "arg2", "尾实体", "客体", "宾语")
_KINDS = ("relation", "predicate", "type", "label", "r", "relation_type", "关系", "谓语")
_LISTS = ("relations", "triples", "triplets", "result", "results", "关系", "三元组")
_TEXTS = ("text", "name", "mention", "entity", "实体", "名称")

_EDGES = " \t\r*`\"'“”‘’"
_TUPLE = re.compile(r"(?<![\w\]])[(（<《\[]([^()（）<>《》\[\]]{1,600})[)）>》\]]")
_CALL = re.compile(r"([^\W\d][\w :/._-]{0,80})\(([^(),，]{1,300})[,，]([^(),，]{1,300})\)")
_COMMA = re.compile(r"\s*[,，;；|、\t]\s*")
_BULLET = re.compile(r"^[\s|]*(?:(?:[-*+•·]|\(?\d{1,3}[.)、])\s+)?")
_ARROW = re.compile(r"\s*(?:[|;；\t]|-{1,2}>|—>|→|\s-{2,}\s|-+\[|\]-+>?)\s*")
_TYPED = re.compile(r"(.+?)\s*[(（\[]([^()（）\[\]]{1,60})[)）\]]")


class Argument(NamedTuple):
    """One side of a relation: a text, and its type where the answer gives one."""

    text: str
    type: str = ""


class Triple(NamedTuple):
    """A relation between two texts, its type in the references' name where they have it."""

    head: Argument
    type: str
    tail: Argument


class Types(NamedTuple):
    """The types of relations and of what they join."""

    relations: TypeNames
    entities: TypeNames


def triples(answer: str, types: Types) -> list[Triple] | None:
    """The relations of an answer in the order it names them; None where it cannot be read.

    Read are a word for none; JSON objects with a head, a tail and a relation, by any of their
    usual names, or lists of three; tuples in brackets; `relation(head, tail)`; and lines of three
    parts between | ; tabs or arrows. The relation stands in the middle, or where a known one does.
    An argument may bear its type in brackets.
    """
    if says_none(answer):
        return []
    for value in json_values(answer):
        if (found := _of_json(value, types)) is not None:
            return found
    called = [
        _made(m[2], kind, m[3], types)
        for m in _CALL.finditer(answer)
        if (kind := types.relations.known(m[1]))
    ]
    if called:
        return called
    parted = [_COMMA.split(match[1].strip()) for match in _TUPLE.finditer(answer)]
    if not any(len(parts) == 3 for parts in parted):
        lines = (_BULLET.sub("", line).strip(" \t|") for line in answer.split("\n"))
        parted = [_ARROW.split(line) for line in lines]
    found = [_ordered(parts, types) for parts in parted if len(parts) == 3 and all(parts)]
    return [triple for triple in found if triple.type and not _is_rule(triple)] or None


def _is_rule(triple: Triple) -> bool:
    """Whether it is the line under the heads of a table, or these."""
    return not re.search(r"[^\W\d_]", triple.type) or triple.head.text.casefold() in (*_HEADS, "")


def _of_json(value: Any, types: Types) -> list[Triple] | None:
    if isinstance(value, dict):
        for name in _LISTS:
            if isinstance(value.get(name), list):
                return _of_json(value[name], types)
        value = [value]
    if len(value) == 3 and all(isinstance(part, str) for part in value):
        value = [value]
    found = [_of_item(item, types) for item in value]
    return None if any(item is None for item in found) else [item for item in found if item]


def _of_item(item: Any, types: Types) -> Triple | None:
    if isinstance(item, list):
        if len(item) == 3 and all(isinstance(part, str) for part in item):
            return _ordered(item, types)
        return None
    if not isinstance(item, dict):
        return None
    kind = next((item[key] for key in _KINDS if isinstance(item.get(key), str)), None)
    sides = [_argument(item, names, types) for names in (_HEADS, _TAILS)]
    if kind is None or sides[0] is None or sides[1] is None:
        return None
    return Triple(sides[0], types.relations.known(kind) or kind.strip(), sides[1])


def _argument(item: dict[str, Any], names: tuple[str, ...], types: Types) -> Argument | None:
    name = next((name for name in names if name in item), None)
    value = item.get(name or "")
    kind = next((item[k] for k in (f"{name}_type", f"{name}_label") if k in item), "")
    if isinstance(value, dict):
        kind = value.get("type", value.get("label", kind))
        value = next((value[key] for key in _TEXTS if key in value), None)
    if not isinstance(value, str) or not isinstance(kind, str):
        return None
    return (
        Argument(value.strip(), types.entities.known(kind) or kind) if kind else _side(value, types)
    )


def _ordered(parts: list[str], types: Types) -> Triple:
    """Head, relation, tail; or head, tail, relation where only the last is a known relation."""
    head, middle, last = parts
    known = types.relations.known
    if known(last) and not known(middle):
        middle, last = last, middle
    elif known(head) and not known(middle):
        head, middle = middle, head
    return _made(head, known(middle) or middle.strip(_EDGES), last, types)


def _made(head: str, kind: str, tail: str, types: Types) -> Triple:
    return Triple(_side(head, types), kind, _side(tail, types))


def _side(text: str, types: Types) -> Argument:
    """A text, its type in brackets taken off where it is one."""
    bare = text.strip(_EDGES)
    typed = _TYPED.fullmatch(bare)
    if typed and (kind := types.entities.read(typed[2])):
        return Argument(typed[1].strip(_EDGES), kind)
    return Argument(bare)
