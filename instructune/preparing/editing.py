"""Edits to every text of a record, with entity offsets and token tags kept right.

What counts as text: the content of turns (and the arguments of tool calls), `text`, `texts`,
`tokens`, text references, the rejected ending, `positive` and `negatives`. Labels, ids and
fields that only pass through are left alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import accumulate
from json import JSONDecodeError, dumps, loads
from typing import Any, NamedTuple

from instructune.errors import UserError
from instructune.records import Record


class Edit(NamedTuple):
    """`text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


class LostSpans(ValueError):
    """An edit left no way to tell where the entities are."""


Texts = Callable[[str], str]
Find = Callable[[str], Sequence[Edit]]
Moved = tuple[str, dict[int, int], dict[int, int]]  # new text; where spans start and end now
_MARKS = 0xF0000  # private-use plane: characters that no text holds


def edited(record: Record, edit: Texts, *, marked: bool = False) -> Record:
    """The record with `edit` applied to each text; the same object if nothing changed.

    A text with entities is edited piece by piece between their boundaries, so `edit` must not
    depend on the ends of what it is given. With `marked` it is edited as a whole, with marker
    characters at the boundaries; `LostSpans` if they do not come out as they went in.
    """

    def spanned(text: str, cuts: list[int]) -> Moved:
        return _by_marks(text, cuts, edit) if marked else _by_pieces(text, cuts, edit)

    return _walked(record, edit, spanned, lambda tokens: [edit(token) for token in tokens])


def replaced(
    record: Record,
    find: Find,
    *,
    across: bool = False,
    asked: bool = False,
    fields: Collection[str] = (),
) -> Record:
    """The record with the edits that `find` makes in each text, sorted and apart.

    An entity that an edit touches in part grows to cover what replaced it. With `across`, edits
    may reach over several tokens: the first takes the new text, the others go with their tags.
    With `asked`, only what is asked is edited: user turns and the bodies that are no chat.
    `fields` are other columns whose texts, at any depth, are edited too.
    """

    def apply(text: str) -> str:
        return applied(text, found) if (found := find(text)) else text

    def tokens(given: list[str]) -> list[str]:
        return _over_tokens(given, find) if across else [apply(token) for token in given]

    def spanned(text: str, cuts: list[int]) -> Moved:
        return _by_edits(text, cuts, find(text))

    new = _walked(record, apply, spanned, tokens, asked)
    more = {key: _values(record[key], apply) for key in fields if key in record}
    return Record(new | more) if any(record[key] != more[key] for key in more) else new


def applied(text: str, edits: Iterable[Edit]) -> str:
    """`text` after edits that are sorted and do not overlap."""
    parts: list[str] = []
    at = 0
    for start, end, new in edits:
        parts += text[at:start], new
        at = end
    return "".join(parts) + text[at:]


def _walked(
    record: Record,
    edit: Texts,
    spanned: Callable[[str, list[int]], Moved],
    tokens: Callable[[list[str]], list[str]],
    asked: bool = False,
) -> Record:
    new: dict[str, Any] = {}
    for key in ("messages",) if asked else ("messages", "rejected"):
        if key in record:
            new[key] = [
                turn if asked and turn["role"] != "user" else _turn(turn, edit)
                for turn in record[key]
            ]
    for key in ("texts",) if asked else ("texts", "references", "negatives"):
        if key in record:
            new[key] = [edit(one) if isinstance(one, str) else one for one in record[key]]
    if "positive" in record and not asked:
        new["positive"] = edit(record["positive"])
    if "tokens" in record:
        new |= _tagged(tokens(record["tokens"]), record.get("tags"))
    if "text" in record:
        if record.get("entities"):
            new |= _with_entities(record, spanned)
        else:
            new["text"] = edit(record["text"])
    changed = {key: value for key, value in new.items() if value != record[key]}
    return Record(record | changed) if changed else record


def _turn(turn: dict[str, Any], edit: Texts) -> dict[str, Any]:
    content = turn.get("content")
    if content:
        new = edit(content)
        if new is not content and new != content:
            turn = turn | {"content": new}
    if calls := turn.get("tool_calls"):
        turn = turn | {"tool_calls": [_call(call, edit) for call in calls]}
    return turn


def _call(call: dict[str, Any], edit: Texts) -> dict[str, Any]:
    """A call with the values of its arguments edited, as JSON text or as an object."""
    given = call["function"].get("arguments")
    if not given:
        return call
    try:
        values = loads(given) if isinstance(given, str) else given
    except (JSONDecodeError, RecursionError):
        new = edit(given)
    else:
        after = _values(values, edit)
        if after == values:
            return call
        new = dumps(after, ensure_ascii=False) if isinstance(given, str) else after
    return call | {"function": call["function"] | {"arguments": new}}


def _values(value: Any, edit: Texts) -> Any:
    """A JSON value with its texts edited; a number that the edit changes becomes a text."""
    if isinstance(value, dict):
        return {key: _values(one, edit) for key, one in value.items()}
    if isinstance(value, list):
        return [_values(one, edit) for one in value]
    if isinstance(value, bool) or value is None:
        return value
    text = str(value)
    return value if (new := edit(text)) == text else new


def _tagged(tokens: list[str], tags: list[str] | None) -> dict[str, list[str]]:
    """Tokens that became empty go with their tags; one that followed a lost B- starts anew."""
    if tags is None:
        return {"tokens": [token for token in tokens if token]}
    kept: list[tuple[str, str]] = []
    lost = None
    for token, tag in zip(tokens, tags, strict=True):
        kind = tag[2:] if tag[1:2] == "-" else None
        if not token:
            lost = kind if tag[:1] == "B" else lost if kind == lost else None
            continue
        if kind and kind == lost and tag[0] == "I":
            tag = f"B-{kind}"
        lost = None
        kept.append((token, tag))
    return {"tokens": [token for token, _ in kept], "tags": [tag for _, tag in kept]}


def _with_entities(record: Record, spanned: Callable[[str, list[int]], Moved]) -> dict[str, Any]:
    """The new text, the entities at their new places, and relations among those left.

    An entity of which nothing is left is gone, and so are its relations.
    """
    text, given = record["text"], record["entities"]
    for entity in given:
        start, end = entity.get("start"), entity.get("end")
        if type(start) is not int or type(end) is not int or not 0 <= start <= end <= len(text):
            raise UserError("an entity lies outside the text", where=record.where)
    cuts = sorted({entity[side] for entity in given for side in ("start", "end")})
    new, starts, ends = spanned(text, cuts)
    if new == text:
        return {"text": text}
    places = [(starts[entity["start"]], ends[entity["end"]]) for entity in given]
    kept = [i for i, (start, end) in enumerate(places) if start < end]
    entities = [given[i] | {"start": places[i][0], "end": places[i][1]} for i in kept]
    made: dict[str, Any] = {"text": new, "entities": entities}
    if record.get("relations") and len(kept) < len(given):
        index = {old: now for now, old in enumerate(kept)}
        made["relations"] = [
            pair | {"head": index[pair["head"]], "tail": index[pair["tail"]]}
            for pair in record["relations"]
            if pair["head"] in index and pair["tail"] in index
        ]
    return made


def _by_pieces(text: str, cuts: list[int], edit: Texts) -> Moved:
    bounds = [0, *cuts, len(text)]
    pieces = [edit(text[a:b]) if a < b else "" for a, b in zip(bounds, bounds[1:], strict=False)]
    places = dict(zip(cuts, accumulate(map(len, pieces)), strict=False))
    return "".join(pieces), places, places


def _by_marks(text: str, cuts: list[int], edit: Texts) -> Moved:
    marks = [chr(_MARKS + i) for i in range(len(cuts))]
    if any(mark in text for mark in marks):
        raise LostSpans("the text holds private-use characters")
    edits = [Edit(cut, cut, mark) for cut, mark in zip(cuts, marks, strict=True)]
    new = edit(applied(text, edits))
    found = [new.find(mark) for mark in marks]
    if found != sorted(found) or -1 in found or any(new.count(mark) > 1 for mark in marks):
        raise LostSpans("the boundaries of entities were lost")
    places = {cut: place - i for i, (cut, place) in enumerate(zip(cuts, found, strict=True))}
    for mark in marks:
        new = new.replace(mark, "")
    return new, places, places


def _by_edits(text: str, cuts: list[int], edits: Sequence[Edit]) -> Moved:
    starts, ends = {}, {}
    begins = [edit.start for edit in edits]
    moved = [0, *accumulate(len(new) - (end - start) for start, end, new in edits)]
    for cut in cuts:
        i = bisect_right(begins, cut) - 1  # the last edit that starts at or before the cut
        if i >= 0 and edits[i].start < cut < edits[i].end:
            starts[cut] = edits[i].start + moved[i]
            ends[cut] = starts[cut] + len(edits[i].new)
            continue
        # what is put in right at the cut stands before a span that starts and after one that ends
        before = i + 1 if i >= 0 and edits[i].end <= cut else max(i, 0)
        ahead = before
        while ahead and edits[ahead - 1].start == cut:
            ahead -= 1
        starts[cut], ends[cut] = cut + moved[before], cut + moved[ahead]
    return applied(text, edits), starts, ends


def _over_tokens(tokens: list[str], find: Find) -> list[str]:
    """Edits found in the joined tokens; single characters (Chinese) are joined without blanks."""
    between = " " if sum(map(len, tokens)) > 1.5 * len(tokens) else ""
    edits = find(between.join(tokens))
    if not edits:
        return tokens
    made, at = [], 0
    for token in tokens:
        end = at + len(token)
        touching = [edit for edit in edits if edit.start < end and edit.end > at]
        made.append(
            applied(
                token,
                (
                    Edit(
                        max(edit.start - at, 0),
                        min(edit.end, end) - at,
                        edit.new if edit.start >= at else "",
                    )
                    for edit in touching
                ),
            )
        )
        at = end + len(between)
    return made
