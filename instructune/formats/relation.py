"""Relations: head/tail/relation, h/t/relation, TACRED's spans, lists of entities and relations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instructune.formats import _keys, _spans

TAKES = (
    *("text", "tokens", "token", "entities", "relations", "head", "tail", "h", "t", "relation"),
    *("subj_start", "subj_end", "obj_start", "obj_end", "subj_type", "obj_type"),
)


def recognises(keys: frozenset[str]) -> bool:
    """A text or tokens beside the columns of one of the four shapes."""
    return _keys.is_relation(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Entities in code points of the text, relations by their index.

    Tokens are put together, with a space between but where either side is Chinese; the tokens
    stay under `fields.tokens`. An entity given by its text is where that stands first.
    """
    words = next((row[name] for name in _keys.TOKENS if name in row), None)
    text = _spans.Text(row.get("text"), words)
    if "entities" in row and "relations" in row:
        entities, relations = _listed(row, text)
        taken = {"entities", "relations"}
    else:
        entities, relations, taken = _one(row, text)
    made: dict[str, Any] = {"text": text.text, "entities": entities, "relations": relations}
    if words is not None:
        made["fields"] = {"tokens": words}
    taken |= {"text", *_keys.TOKENS}
    others = {name: row[name] for name in TAKES if name in row and name not in taken}
    if others:
        made["fields"] = made.get("fields", {}) | others
    return [made]


def _one(
    row: Mapping[str, Any], text: _spans.Text
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[str]]:
    """A head, a tail and what holds between them."""
    if "subj_start" in row:
        spans = [
            text.tokens_span(row[f"{side}_start"], row[f"{side}_end"], ends=True)
            for side in ("subj", "obj")
        ]
        pair = [
            span | {"type": _kind(row.get(f"{side}_type"))}
            for span, side in zip(spans, ("subj", "obj"), strict=True)
        ]
        taken = {name for name in TAKES if name.startswith(("subj_", "obj_"))}
    else:
        head, tail = ("h", "t") if "h" in row and "head" not in row else ("head", "tail")
        pair = [_entity(row[head], text, head), _entity(row[tail], text, tail)]
        taken = {head, tail}
    holds = row["relation"]
    if type(holds) not in (str, int):
        raise ValueError("relation must be a string")
    return pair, [{"head": 0, "tail": 1, "type": str(holds)}], taken | {"relation"}


def _listed(
    row: Mapping[str, Any], text: _spans.Text
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Lists of entities and of relations, which name them by index or by id."""
    for name in ("entities", "relations"):
        if type(row[name]) is not list or not all(type(item) is dict for item in row[name]):
            raise ValueError(f"{name} must be a list of objects")
    entities = [_entity(item, text, f"entities[{i}]") for i, item in enumerate(row["entities"])]
    places = {item["id"]: i for i, item in enumerate(row["entities"]) if "id" in item}
    relations = []
    for i, item in enumerate(row["relations"]):
        ends = {}
        for side, spelled in (("head", "from_id"), ("tail", "to_id")):
            if side in item:
                ends[side] = item[side]
            elif spelled in item and item[spelled] in places:
                ends[side] = places[item[spelled]]
            if type(ends.get(side)) is not int or not 0 <= ends[side] < len(entities):
                raise ValueError(f"relations[{i}].{side} names no entity")
        relations.append(ends | {"type": _kind(item.get("type", item.get("label")))})
    return entities, relations


def _entity(value: Any, text: _spans.Text, place: str) -> dict[str, Any]:
    """An entity from its text, its span of tokens, or an object that has either."""
    if type(value) is str:
        return text.found(value, place) | {"type": ""}
    if type(value) is list and len(value) == 2:
        return text.tokens_span(*value) | {"type": ""}
    if type(value) is not dict:
        raise ValueError(f"{place} must be a text, a span of tokens or an object")
    kind = _kind(value.get("type", value.get("label")))
    start = value.get("start", value.get("start_offset"))
    end = value.get("end", value.get("end_offset"))
    span = value.get("pos", value.get("span", [start, end]))
    if type(span) is list and len(span) == 2 and all(type(at) is int for at in span):
        found = text.tokens_span(*span) if text.tokens else text.span(*span)
    else:
        found = text.found(value.get("name", value.get("text")), place)
    return found | {"type": kind}


def _kind(value: Any) -> str:
    if value is None:
        return ""
    if type(value) not in (str, int):
        raise ValueError("the type of an entity or relation must be a string")
    return str(value)
