"""Records in, token sequences out, each token marked with how much it counts in the loss.

For a trained turn k the prompt is `render(messages[:k])` with the generation prompt, just what
`generate` sends, and the target is `render(messages[:k+1])`. What the model learns is the text
between the two, and the token that ends the turn.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from instructune.errors import Exit, UserError, at
from instructune.overflow import Overflow
from instructune.records import Record
from instructune.templating.templates import Rendered
from instructune.templating.turnends import TurnEnds, closing
from instructune.tokenizer import Encoded, Tokenizer

_BATCH = 256  # records encoded at once: enough for all cores, little memory


class TokenRow(NamedTuple):
    """One training sequence: `ids` (T,) and `weights` (T,), 0 where a token is only context.

    Objectives that learn other things than the next token keep them in `columns`.
    """

    ids: list[int]
    weights: list[float]
    record: str
    where: str
    columns: Mapping[str, Sequence[int] | Sequence[float]] = {}

    @property
    def learned(self) -> int:
        """Number of tokens that count."""
        return sum(weight > 0 for weight in self.weights)


class Span(NamedTuple):
    """Characters `[start, end)` of a text whose tokens count `weight` each, up to the turn's end.

    `stop` is the id that ends the turn, to be appended where the text leaves it open; None where
    the text does not end in an answer.
    """

    start: int
    end: int
    weight: float
    stop: int | None


class Plan(NamedTuple):
    """A text to encode and its spans; where two overlap, the later one counts."""

    text: Rendered
    spans: list[Span]


@dataclass
class Encoding:
    """How records become sequences: the settings, and counts of what happened.

    `stops` are the ids that were found to end answers: generation must stop at each of them.
    """

    tokenizer: Tokenizer
    train_on: str = "assistant"
    max_length: int | None = None
    overflow: str = "error"
    stops: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._overflow = Overflow(self.overflow, self.max_length)
        self._ends = TurnEnds(self.tokenizer)

    @property
    def counts(self) -> Counter[str]:
        """Sequences gained and lost, by cause."""
        return self._overflow.counts

    @property
    def dropped(self) -> list[str]:
        """Places of the rows that were dropped."""
        return self._overflow.dropped

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """Yield the sequences of all records in order.

        If some are too long and `overflow` is "error", raises UserError after the last one.
        """
        records = iter(records)
        while batch := list(islice(records, _BATCH)):
            plans = [(record, plan) for record in batch for plan in self.plans(record)]
            texts = [plan.text for _, plan in plans]
            for (record, plan), encoded in zip(
                plans, self.tokenizer.encode_batch(texts), strict=True
            ):
                row, answer = self._weighed(record, plan, encoded)
                lead = int(row.ids[0] in self.tokenizer.special_ids)
                yield from self._overflow.fit(row, answer, lead)
        self._overflow.check()

    def plans(self, record: Record) -> list[Plan]:
        """The texts to encode for one record, with the spans to learn."""
        with at(record.where):
            weight = row_weight(record)
            if "text" in record:
                text = self.tokenizer.template.literal(record["text"])
                return [Plan(text, [Span(0, len(text.text), weight, self._ends.end_of_text())])]
            if "messages" not in record:
                raise UserError("has no messages and no text to learn from")
            if self.train_on == "all":
                return [self._whole(record, weight)]
            return self._answers(record, weight)

    def _answers(self, record: Record, weight: float) -> list[Plan]:
        """One text with all trained answers, or one for each where a later turn rewrites it."""
        turns = [k for k in _answer_turns(record) if row_weight(record["messages"][k])]
        if not turns:
            raise UserError("has no answer to learn: the weight of each is 0")
        if self.train_on == "last":
            turns = turns[-1:]
        found = [self._answer(record, k, weight) for k in turns]
        full = found[-1].text
        if all(self._continues(plan, full) for plan in found[:-1]):
            return [Plan(full, [plan.spans[0] for plan in found])]
        self.counts["rows cut into one sequence a turn, added"] += len(found) - 1
        return found

    def _answer(self, record: Record, k: int, weight: float) -> Plan:
        """Turn k as the last one, with the span behind its prompt."""
        messages, tools = record["messages"], record.get("tools")
        render = self.tokenizer.template.render
        prompt = render(messages[:k], tools=tools, add_generation_prompt=True)
        target = render(messages[: k + 1], tools=tools)
        if not target.text.startswith(prompt.text):
            raise _not_a_prefix(prompt.text, target.text)
        weight *= row_weight(messages[k])
        stop = self._ends.of(messages[k])
        return Plan(target, [Span(len(prompt.text), len(target.text), weight, stop)])

    def _whole(self, record: Record, weight: float) -> Plan:
        """All text; answers with a weight of their own get it."""
        messages = record["messages"]
        turns = _answer_turns(record)
        text = self.tokenizer.template.render(messages, tools=record.get("tools"))
        stop = self._ends.of(messages[-1]) if turns[-1] == len(messages) - 1 else None
        spans = [Span(0, len(text.text), weight, stop)]
        for k in turns:
            if row_weight(messages[k]) != 1:
                answer = self._answer(record, k, weight)
                if not text.text.startswith(answer.text.text):
                    raise UserError(
                        f"messages[{k}].weight has no place: the template rewrites earlier turns"
                    )
                spans += answer.spans
        return Plan(text, spans)

    def _continues(self, plan: Plan, full: Rendered) -> bool:
        """Whether `full` goes on after the answer of `plan`, and a control token ends it there."""
        text, control = plan.text.text, self.tokenizer.control
        if not full.text.startswith(text):
            return False
        start, end, closed = plan.spans[0].start, len(text), len(text.rstrip())
        own = full.text.endswith(control, start, closed)
        following = full.text.startswith(control, end)
        return (own and all(closed != stop for _, stop in full.literal)) or (
            following and all(end != begin for begin, _ in full.literal)
        )

    def _weighed(self, record: Record, plan: Plan, encoded: Encoded) -> tuple[TokenRow, int]:
        """The sequence of a plan, and the index at which its last answer starts."""
        ids, offsets = encoded
        weights = [0.0] * len(ids)
        lo = 0
        for span in plan.spans:
            lo, hi = bisect_left(offsets, (span.start,)), bisect_left(offsets, (span.end,))
            while hi > lo and offsets[hi - 1][1] > span.end:
                hi -= 1
            last = self._last(plan.text.text, encoded, lo, hi, span)
            if last is None:
                raise _no_end(plan.text.text[span.start : span.end], record.where)
            if last == len(ids) and span.stop is not None:
                ids.append(span.stop)
                weights.append(0.0)
            weights[lo : last + 1] = [span.weight] * (last + 1 - lo)
        lead = self.tokenizer.lead if "text" in record else []
        ids, weights = lead + ids, [0.0] * len(lead) + weights
        weights[0] = 0.0  # nothing stands before it to predict it from
        if not any(weights):
            raise UserError("has no token to learn", where=record.where)
        return TokenRow(ids, weights, record["id"], record.where), lo

    def _last(self, text: str, encoded: Encoded, lo: int, hi: int, span: Span) -> int | None:
        """Index of the token that ends the span: its own, the next role's, or one to append."""
        ids, special = encoded.ids, self.tokenizer.special_ids
        if span.stop is None:
            return hi - 1
        if found := closing(text, encoded, lo, hi, special):
            last = next((i for i in found if ids[i] == span.stop), found[-1])
        elif hi == len(ids) or ids[hi] in special:
            last = hi
        else:
            return None
        self.stops.add(ids[last] if last < len(ids) else span.stop)
        return last


def prompt_ids(record: Record, tokenizer: Tokenizer) -> list[int]:
    """The ids `generate` starts from: all turns but a last answer, and the generation prompt."""
    with at(record.where):
        if "text" in record:
            text = tokenizer.template.literal(record["text"])
            return tokenizer.lead + tokenizer.encode(text).ids
        if "messages" not in record:
            raise UserError("has no messages and no text to go on from")
        text = tokenizer.template.render(
            record.prompt(), tools=record.get("tools"), add_generation_prompt=True
        )
    return tokenizer.encode(text).ids


def _answer_turns(record: Record) -> list[int]:
    turns = [k for k, message in enumerate(record["messages"]) if message["role"] == "assistant"]
    if not turns:
        raise UserError(
            "has no assistant turn to learn", hint="rows without an answer are for generate"
        )
    return turns


def row_weight(value: dict[str, Any]) -> float:
    """The weight of a record or a turn."""
    weight = value.get("weight", 1.0)
    if type(weight) not in (int, float) or not 0 <= weight < math.inf:
        raise UserError(f"weight must be a number of at least 0, got {weight!r}")
    return float(weight)


def _no_end(text: str, where: str) -> UserError:
    return UserError(
        f"no token ends the answer … {text[-40:]!r}",
        where=where,
        hint="choose another --template",
        code=Exit.MISMATCH,
    )


def _not_a_prefix(prompt: str, target: str) -> UserError:
    at = len(os.path.commonprefix([prompt, target]))
    return UserError(
        "the prompt that generation would use is no prefix of the rendered answer:\n"
        f"  prompt … {prompt[max(0, at - 40) : at + 60]!r}\n"
        f"  answer … {target[max(0, at - 40) : at + 60]!r}",
        hint="choose another --template",
        code=Exit.MISMATCH,
    )
