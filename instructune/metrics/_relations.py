"""The relations of references and predictions, whatever form they have, and which of them match."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from instructune.entities.placing import squeezed
from instructune.entities.triples import Argument, Triple, Types, triples
from instructune.entities.typenames import TypeNames
from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._extraction import Extraction, Matched, extraction


@dataclass(frozen=True)
class Options:
    """What must be right beside the relation's type, and how types are averaged.

    `strict`: boundaries and types of both entities; `boundaries`: these alone. The names are of
    Taillé et al. 2020.
    """

    match: Literal["strict", "boundaries"] = "strict"
    average: Literal["micro", "macro"] = "micro"


class _End(NamedTuple):
    """One side of a relation: by its place, and by its text, of which one may be unknown."""

    place: tuple[int, int] | None
    text: str
    type: str


class _Relation(NamedTuple):
    head: _End
    type: str
    tail: _End


def matched(answers: Sequence[Answer], options: Options) -> Extraction:
    """What of each answer's relations is right; of several text references the best met."""
    true = [_true(answer) for answer in answers]
    flat = [relation for lists in true for found in lists for relation in found]
    kinds = {relation.type for relation in flat}
    ends = {end.type for relation in flat for end in (relation.head, relation.tail)}
    types = Types(TypeNames(kinds - {""}), TypeNames(ends - {""}))
    given = [_predicted(answer, types) for answer in answers]
    if options.match == "strict" and ends - {""}:
        _check_typed([relation for found in given for relation in found or ()])
    pairs = zip(true, given, strict=True)
    rows = [_best(lists, found, options.match == "strict") for lists, found in pairs]
    return extraction(rows, kinds)


def _check_typed(given: Sequence[_Relation]) -> None:
    if given and not any(end.type for found in given for end in (found.head, found.tail)):
        raise UserError(
            "relation_f1 compares the types of entities, and no prediction names any",
            hint="--metric relation_f1:match=boundaries",
        )


def _true(answer: Answer) -> list[list[_Relation]]:
    """The row's relations; those of each reference where these are in words."""
    if "relations" in answer.row:
        text, entities = answer.row.get("text"), answer.row.get("entities")
        relations = answer.row["relations"]
        if not isinstance(relations, list) or not isinstance(entities, list):
            raise _fault(answer, "relations and entities must be lists")
        return [list(_listed(relations, entities, text, answer, "relations"))]
    found = [triples(text, _UNKNOWN) for text in answer.references]
    if not found or any(part is None for part in found):
        raise _fault(answer, "its reference names no relations that can be read")
    return [[_told(triple) for triple in part or ()] for part in found]


_UNKNOWN = Types(TypeNames(()), TypeNames(()))


def _predicted(answer: Answer, types: Types) -> list[_Relation] | None:
    """The prediction's relations; None where it cannot be read, no relations for an error."""
    if answer.prediction is None:
        return []
    if isinstance(answer.prediction, str):
        found = triples(answer.prediction, types)
        return None if found is None else [_told(triple) for triple in found]
    entities, text = answer.row.get("spans", []), answer.row.get("text")
    return list(_listed(answer.prediction, entities, text, answer, "prediction"))


def _listed(
    relations: Sequence[Any], entities: Any, text: Any, answer: Answer, field: str
) -> Iterator[_Relation]:
    """Relations whose ends are indices into `entities`, or entities or texts themselves."""
    for item in relations:
        if not isinstance(item, dict) or not {"head", "tail", "type"} <= item.keys():
            raise _fault(answer, f"{field} must hold head, tail and type, got {item}")
        ends = []
        for side in ("head", "tail"):
            end = item[side]
            if type(end) is int:
                if not isinstance(entities, list) or not 0 <= end < len(entities):
                    raise _fault(answer, f"{field}: the {side} {end} is no entity")
                end = entities[end]
            ends.append(_end(end, text, answer, field))
        yield _Relation(ends[0], str(item["type"]), ends[1])


def _end(end: Any, text: Any, answer: Answer, field: str) -> _End:
    if isinstance(end, str):
        return _End(None, squeezed(end), "")
    start, stop = (end.get(key) if isinstance(end, dict) else None for key in ("start", "end"))
    if not isinstance(text, str) or not isinstance(start, int) or not isinstance(stop, int):
        raise _fault(answer, f"{field}: {end} has no place in the row's text")
    if not 0 <= start < stop <= len(text):
        raise _fault(answer, f"{field}: the span {start} to {stop} is not in the text")
    return _End((start, stop), squeezed(text[start:stop]), str(end.get("type", "")))


def _told(triple: Triple) -> _Relation:
    return _Relation(_in_words(triple.head), triple.type, _in_words(triple.tail))


def _in_words(argument: Argument) -> _End:
    return _End(None, squeezed(argument.text), argument.type)


def _fault(answer: Answer, reason: str) -> UserError:
    return UserError(f"id {answer.row.get('id')!r}: {reason}")


def _best(lists: list[list[_Relation]], given: list[_Relation] | None, strict: bool) -> Matched:
    tries = [
        _compared(true, given or [], strict)._replace(read=given is not None) for true in lists
    ]
    return max(tries, key=lambda row: len(row.hits) / max(1, len(row.true) + len(row.predicted)))


def _compared(true: list[_Relation], given: list[_Relation], strict: bool) -> Matched:
    """By places where both sides have them, else by texts; each relation counts once."""
    placed = all(end.place for found in (*true, *given) for end in (found.head, found.tail))

    def key(relation: _Relation) -> tuple[Any, ...]:
        ends = (relation.head, relation.tail)
        kinds = tuple(end.type for end in ends) if strict else ()
        return relation.type, *(end.place if placed else end.text for end in ends), *kinds

    wanted = dict.fromkeys(map(key, true))
    found = dict.fromkeys(map(key, given))
    hits = [(1.0, one[0], one[0]) for one in found if one in wanted]
    return Matched([one[0] for one in wanted], [one[0] for one in found], hits)
