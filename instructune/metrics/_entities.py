"""The entities of references and predictions, whatever form they have, and which of them match."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from instructune.entities.mentions import Mention, mentions
from instructune.entities.placing import Source, overlap, squeezed
from instructune.entities.tagschemes import Scheme, Span, detect, parted, spans
from instructune.entities.typenames import TypeNames
from instructune.errors import UserError
from instructune.evaluating.predictions import Answer
from instructune.metrics._extraction import Extraction, Matched, extraction


@dataclass(frozen=True)
class Options:
    """What counts as found, how types are averaged, and how tags mark entities.

    `match`, as in SemEval-2013 task 9: `strict` wants boundaries and type, `exact` boundaries
    alone, `type` the type and an overlap; `partial` gives 1 for boundaries and half for an
    overlap, whatever the type. `scheme`: as the references' tags show, or one of them; `conll`
    reads tags as conlleval does.
    """

    match: Literal["strict", "exact", "partial", "type"] = "strict"
    average: Literal["micro", "macro"] = "micro"
    scheme: Literal["auto", "iob1", "iob2", "bioes", "conll"] = "auto"


class _True(NamedTuple):
    """A row's true entities, in tokens or in characters, and the text that they stand in."""

    spans: list[Span]
    source: Source | None


def matched(answers: Sequence[Answer], options: Options) -> Extraction:
    """What of each answer's entities is right; of several text references the best met."""
    scheme = scheme_of(answers, options)
    told = {id(a): _read_references(a) for a in answers if not _marked(a)}
    kinds = _types(answers, told)
    types = TypeNames(kinds - {""})
    rows = [_matched(a, told.get(id(a), []), types, scheme, options.match) for a in answers]
    return extraction(rows, kinds)


def scheme_of(answers: Sequence[Answer], options: Options) -> Scheme:
    """The scheme of the references' tags."""
    if options.scheme != "auto":
        return options.scheme
    try:
        return detect(answer.row["tags"] for answer in answers if "tags" in answer.row)
    except ValueError as error:
        raise UserError(f"the references' tags mark no entities: {error}") from None


def _marked(answer: Answer) -> bool:
    return "tags" in answer.row or "entities" in answer.row


def _types(answers: Sequence[Answer], told: dict[int, list[list[Mention]]]) -> set[str]:
    types = {mention.type for lists in told.values() for found in lists for mention in found}
    for answer in answers:
        if "tags" in answer.row:
            types |= {parted(tag)[1] for tag in set(answer.row["tags"]) if tag != "O"}
        else:
            types |= {str(entity.get("type", "")) for entity in answer.row.get("entities", ())}
    return types


def _read_references(answer: Answer) -> list[list[Mention]]:
    """The entities of references in words, which must be readable."""
    found = [mentions(text, TypeNames(())) for text in answer.references]
    if not found or any(part is None for part in found):
        raise _fault(answer, "its reference names no entities that can be read")
    return [part for part in found if part is not None]


def _matched(
    answer: Answer, told: list[list[Mention]], types: TypeNames, scheme: Scheme, match: str
) -> Matched:
    if _marked(answer):
        return _compared(answer, _true(answer, scheme), types, scheme, match)
    tries = []
    for named in told:
        source, true = Source.of_list(named)
        tries.append(_compared(answer, _True(true, source), types, scheme, match))
    return max(tries, key=_f1)


def _f1(row: Matched) -> float:
    return 2 * sum(credit for credit, _, _ in row.hits) / max(1, len(row.true) + len(row.predicted))


def _true(answer: Answer, scheme: Scheme) -> _True:
    """The entities that the row marks: by tags in tokens, else in characters of its text."""
    row = answer.row
    if "tags" in row:
        tokens = row.get("tokens")
        if not isinstance(tokens, list) or len(tokens) != len(row["tags"]):
            raise _fault(answer, f"has {len(row['tags'])} tags for {len(tokens or ())} tokens")
        return _True(spans(row["tags"], scheme), None)
    text = row.get("text")
    if not isinstance(text, str):
        raise _fault(answer, "has entities, but no text that they stand in")
    return _True(_of_text(row["entities"], text, answer, "entities"), Source(text))


def _of_text(entities: Any, text: str, answer: Answer, field: str) -> list[Span]:
    """Spans in code points of a text as spans of it without blanks."""
    if not isinstance(entities, list):
        raise _fault(answer, f"{field} must be a list")
    found = []
    for entity in entities:
        start, end = (entity.get(key) if isinstance(entity, dict) else None for key in _ENDS)
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            raise _fault(answer, f"{field} must hold start and end within the text, got {entity}")
        before = len(squeezed(text[:start]))
        inside = len(squeezed(text[start:end]))
        found.append(Span(before, before + inside, str(entity.get("type", ""))))
    return found


_ENDS = ("start", "end")


def _compared(answer: Answer, true: _True, types: TypeNames, scheme: Scheme, match: str) -> Matched:
    read, kinds = True, [span.type for span in dict.fromkeys(true.spans)]
    predicted: list[Span] = []
    if answer.prediction is None:
        return Matched(kinds, [], [])
    told = isinstance(answer.prediction, str)
    if told and ("spans" not in answer.row or true.source is None):
        named = mentions(answer.prediction, types)
        read = named is not None
        source, spots = _in_characters(answer, true)
        true = _True(spots, source)
        predicted = source.place(named or [], spots)
    elif true.source is None:
        predicted = _predicted_tags(answer, scheme)
    else:
        predicted = _predicted_spans(answer)
    true_spans, given = list(dict.fromkeys(true.spans)), list(dict.fromkeys(predicted))
    return Matched(kinds, [s.type for s in given], hits(true_spans, given, match), read)


def _in_characters(answer: Answer, true: _True) -> tuple[Source, list[Span]]:
    """The source of an answer's texts, and the true entities in its characters."""
    if true.source:
        return true.source, true.spans
    ends = [0]
    for token in answer.row["tokens"]:
        ends.append(ends[-1] + len(squeezed(token)))
    spots = [Span(ends[s.start], ends[s.end], s.type) for s in true.spans]
    return Source("".join(answer.row["tokens"])), spots


def _predicted_tags(answer: Answer, scheme: Scheme) -> list[Span]:
    tags = answer.prediction
    if len(tags) != len(answer.row["tokens"]):
        count = len(answer.row["tokens"])
        raise _fault(answer, f"its prediction has {len(tags)} tags for {count} tokens")
    try:
        return spans(tags, scheme)
    except (ValueError, TypeError) as error:
        raise _fault(answer, f"its prediction: {error}") from None


def _predicted_spans(answer: Answer) -> list[Span]:
    """The field `spans`, or a prediction that is such a list."""
    text = answer.row.get("text")
    if not isinstance(text, str):
        raise _fault(answer, "its prediction is no text, and it has no text to find spans in")
    if "spans" in answer.row:
        return _of_text(answer.row["spans"], text, answer, "spans")
    return _of_text(answer.prediction, text, answer, "prediction")


def _fault(answer: Answer, reason: str) -> UserError:
    return UserError(f"id {answer.row.get('id')!r}: {reason}")


def hits(true: Sequence[Span], given: Sequence[Span], match: str) -> list[tuple[float, str, str]]:
    """The pairs that count, each span in one at most: credit, true type, given type.

    Pairs are made best first: the same span, then the same boundaries, then the longest overlap.
    """
    if match == "strict":
        both = set(true)
        return [(1.0, span.type, span.type) for span in given if span in both]
    pairs = []
    for i, one in enumerate(true):
        for j, other in enumerate(given):
            if shared := overlap(one, other):
                same = one[:2] == other[:2]
                pairs.append(((not same, one.type != other.type, -shared, i, j), one, other))
    found, used = [], set[tuple[str, int]]()
    for (differ, mistyped, _, i, j), one, other in sorted(pairs):
        credit = {"exact": 1.0 - differ, "type": 1.0 - mistyped}.get(match, 1.0 - differ / 2)
        if credit and not {("true", i), ("given", j)} & used:
            used |= {("true", i), ("given", j)}
            found.append((credit, one.type, other.type))
    return found
