"""What is done to a block of rows, here or by a worker: rows to records, then through the steps.

Nothing in it looks at another block. What does (ids, and filters that remember the rows before)
is asked by questions, which are answered in the order of the blocks.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from instructune.jsonl import BadRow, Encoded, Row, as_text, dumps
from instructune.reading.blocks import Block
from instructune.reading.conversion import Converter
from instructune.reading.ids import Ids, numbered, propose
from instructune.reading.steps import Change, Gleaner, Question, RememberingFilter, Steps
from instructune.reading.tally import Tally
from instructune.records import Record, fault

_REASON = 1000  # characters of a reason, which may quote the row
_REPEATED = "id {!r} is repeated (--id hash or --id prefix makes new ones)"


class Remembered:
    """What the blocks so far leave behind, and the answers to what the next one asks of it."""

    def __init__(self, steps: Steps) -> None:
        self._parts: list[Ids | RememberingFilter] = [Ids(), *steps.remembering()]

    def __len__(self) -> int:
        return len(self._parts)

    def answer(self, question: Question) -> Any:
        """The answer; a part is asked once by each block, and by the blocks in their order."""
        return self._parts[question.part].answer(question.keys)


@dataclass
class Outcome:
    """What became of the rows of a block, in their order."""

    source: str
    made: list[Record | Encoded | BadRow]
    dropped: list[Record]
    explained: dict[str, list[Change]]
    tally: Tally
    annotated: list[tuple[str, dict[str, Any]]] = field(default_factory=list)  # before the steps
    gleaned: list[Any] = field(default_factory=list)  # of what was made, by gleaner

    def drop(self, record: Record, reason: str) -> None:
        """Set a record aside, with what its reason tells."""
        self.tally.dropped[reason] += 1
        self.dropped.append(Record(record | {"dropped": reason} | getattr(reason, "facts", {})))

    def encode(self) -> None:
        """Turn the records into one piece of bytes, which travels and is written faster.

        Bad rows come first then: what is written elsewhere keeps its own order.
        """
        bad = [made for made in self.made if isinstance(made, BadRow)]
        lines = [dumps(made) for made in self.made if isinstance(made, Record)]
        self.made = [*bad, *([Encoded(b"\n".join(lines))] if lines else [])]


class _Converted(NamedTuple):
    """A row, its format and what it became; no format where it could not be converted."""

    row: Row
    format: str
    made: list[Record | BadRow]


class RowWork:
    """Turns blocks of rows into outcomes; `explain` names records whose changes are told.

    A call gives a generator: of questions, to which it is sent the answers, and of the outcome.
    So one block can be worked on while the answer to another is on its way.
    """

    def __init__(
        self,
        convert: Converter,
        ids: str,
        steps: Steps,
        explain: Collection[str] = (),
        gleaners: Sequence[Gleaner] = (),
    ) -> None:
        self.convert, self.ids, self.steps, self.explain = convert, ids, steps, frozenset(explain)
        self.gleaners = gleaners

    def __call__(self, block: Block) -> Generator[Question, Any, Outcome]:
        """Do it all."""
        tally = Tally()
        rows = [_converted(row, self.convert) for row in _counted(block, tally)]
        tally.notes.update(self.convert.notes)
        self.convert.notes.clear()
        yield from self._identify(rows, block.name)
        outcome = Outcome(block.name, [], [], {}, tally)
        for converted in rows:
            outcome.made += converted.made
            if any(isinstance(one, Record) for one in converted.made):
                tally.formats[converted.format] += 1
            if len(converted.made) > 1:
                tally.added["one row, several records"] += len(converted.made) - 1
        for made in outcome.made:
            if isinstance(made, Record) and "annotations" in made and "augmented" not in made:
                outcome.annotated.append((made["id"], made["annotations"]))
        if self.steps:
            yield from self._step(outcome)
        records = [one for one in outcome.made if isinstance(one, Record)]
        tally.out = len(records)
        outcome.gleaned = [gleaner.glean(records) for gleaner in self.gleaners]
        return outcome

    def _identify(self, rows: Iterable[_Converted], source: str) -> Generator[Question, Any, None]:
        """Give each record its id; one whose own id was there before is a bad row."""
        good = [
            (converted, i, record)
            for converted in rows
            for i, record in enumerate(converted.made)
            if isinstance(record, Record)
        ]
        proposals = [propose(record, source, self.ids) for _, _, record in good]
        taken = yield Question(0, [(proposal.hash, proposal.own) for proposal in proposals])
        for place, ((converted, i, record), proposal) in enumerate(
            zip(good, proposals, strict=True)
        ):
            row, _, made = converted
            number = taken.get(place)
            if number == 0:
                reason = _REPEATED.format(proposal.name)
                made[i] = _bad(row, reason, record if len(made) > 1 else None)
                continue
            record["id"] = numbered(proposal.name, number) if number else proposal.name
            record.setdefault("origin", row.where)

    def _step(self, outcome: Outcome) -> Generator[Question, Any, None]:
        """Put what the transforms make in the records' place, then take out what filters drop."""
        rows, outcome.made = outcome.made, []
        changed: list[int] = []  # by place in what is made
        asked: dict[int, str] = {}
        for row in rows:
            if not isinstance(row, Record):
                outcome.made.append(row)
                continue
            new, place = self._transformed(row, outcome), len(outcome.made)
            if row["id"] in self.explain:
                asked |= dict.fromkeys(range(place, place + len(new)), row["id"])
            changed += [i for i, one in enumerate(new, place) if one is not row]
            outcome.made += new
        records = {i: one for i, one in enumerate(outcome.made) if isinstance(one, Record)}
        drops = yield from self.steps.drops(records, changed)
        for i, (step, reason) in sorted(drops.items()):
            outcome.drop(records[i], reason)
            if i in asked:
                outcome.explained[asked[i]].append(Change(step, records[i], [], reason))
        if drops:
            outcome.made = [one for i, one in enumerate(outcome.made) if i not in drops]

    def _transformed(self, record: Record, outcome: Outcome) -> list[Record]:
        if record["id"] in self.explain:
            outcome.explained[record["id"]] = list(self.steps.explained(record))
        new = self.steps.transformed(record, outcome.tally.changed, outcome.tally.worked)
        if len(new) > 1:
            outcome.tally.added["made by transforms"] += len(new) - 1
        return new


def _counted(block: Block, tally: Tally) -> Iterable[Row | BadRow]:
    for row in block:
        if row is None:
            tally.blank += 1
        else:
            tally.rows_in += 1
            yield row


def _converted(row: Row | BadRow, convert: Converter) -> _Converted:
    """The records of a row, each of several judged on its own, or what is wrong with it."""
    if isinstance(row, BadRow):
        return _Converted(Row(row.where, {}), "", [row])
    try:
        kind, produced = convert(row.value)
    except ValueError as error:
        return _Converted(row, "", [_bad(row, str(error), None)])
    several = len(produced) > 1
    made: list[Record | BadRow] = []
    for record in produced:
        reason = fault(record)
        made.append(_bad(row, reason, record if several else None) if reason else record)
    return _Converted(row, kind, made)


def _bad(row: Row, reason: str, record: Record | None) -> BadRow:
    """The row, or the one of its records, that is not good."""
    text = row.text if record is None else dumps(record)
    return BadRow(row.where, reason[:_REASON], as_text(text))
