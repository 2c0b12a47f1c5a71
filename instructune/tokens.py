"""Records in, token sequences out, each token marked with how much it counts in the loss.

For a trained turn k the prompt is `render(messages[:k])` with the generation prompt, just what
`generate` sends, and the target is `render(messages[:k+1])`. What the model learns is the text
between the two, and the token that ends the turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from instructune.errors import Exit, UserError
from instructune.records import Message, Record
from instructune.templates import Rendered
from instructune.tokenizer import Encoded, Tokenizer

_BATCH = 256  # records encoded at once: enough for all cores, little memory
_SHOWN = 5


class TokenRow(NamedTuple):
    """One training sequence: `ids` (T,) and `weights` (T,), 0 where a token is only context."""

    ids: list[int]
    weights: list[float]
    record: str
    where: str

    @property
    def learned(self) -> int:
        """Number of tokens that count."""
        return sum(weight > 0 for weight in self.weights)


class Span(NamedTuple):
    """Characters `[start, end)` of a text that the model shall produce, up to the turn's end.

    `next_turn` is the text that follows once the user speaks again.
    """

    start: int
    end: int
    next_turn: str


class Plan(NamedTuple):
    """A text to encode and the spans of it to learn."""

    text: Rendered
    spans: list[Span]


@dataclass
class Encoding:
    """How records become sequences: the settings, and counts of what happened."""

    tokenizer: Tokenizer
    train_on: str = "assistant"
    max_length: int | None = None
    overflow: str = "error"
    counts: Counter[str] = field(default_factory=Counter)
    stops: set[int] = field(default_factory=set)
    too_long: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """Yield the sequences of all records in order; raises UserError at the end if some are
        too long and `overflow` is "error"."""
        for batch in _batches(records):
            plans = [(record, plan) for record in batch for plan in self.plans(record)]
            texts = [plan.text for _, plan in plans]
            for (record, plan), encoded in zip(
                plans, self.tokenizer.encode_batch(texts), strict=True
            ):
                yield from self._fitted(self._weighed(record, plan, encoded))
        if self.too_long:
            raise self._overflow_error()

    def plans(self, record: Record) -> list[Plan]:
        """The texts to encode for one record, with the spans to learn."""
        if "text" in record:
            text = self.tokenizer.template.literal(record["text"])
            return [Plan(text, [Span(0, len(text.text), "")])]
        try:
            found = self._plans(record)
        except UserError as error:
            error.where = error.where or record.where
            raise
        if len(found) > 1:
            self.counts["rows cut into one sequence a turn, added"] += len(found) - 1
        return found

    def _plans(self, record: Record) -> list[Plan]:
        messages, tools = record["messages"], record.get("tools")
        render = self.tokenizer.template.render
        if self.train_on == "all":
            full = render(messages, tools=tools)
            follow = self._next_turn(messages, len(messages) - 1, full, tools)
            return [Plan(full, [Span(0, len(full.text), follow)])]
        turns = self._trained_turns(messages)
        targets = []
        for k in turns:
            prompt = render(messages[:k], tools=tools, add_generation_prompt=True)
            target = render(messages[: k + 1], tools=tools)
            if not target.text.startswith(prompt.text):
                raise _not_a_prefix(prompt.text, target.text)
            targets.append((k, target, len(prompt.text)))
        full = render(messages, tools=tools)
        whole = all(full.text.startswith(target.text) for _, target, _ in targets)
        if whole and all(
            k == turns[-1] or self._ends(target.text, start, full.text)
            for k, target, start in targets
        ):
            follow = self._next_turn(messages, turns[-1], targets[-1][1], tools)
            spans = [Span(start, len(t.text), full.text[len(t.text) :]) for _, t, start in targets]
            spans[-1] = spans[-1]._replace(next_turn=spans[-1].next_turn or follow)
            return [Plan(full, spans)]
        return [
            Plan(
                target,
                [Span(start, len(target.text), self._next_turn(messages, k, target, tools))],
            )
            for k, target, start in targets
        ]

    def _trained_turns(self, messages: Sequence[Message]) -> list[int]:
        turns = [
            k
            for k, message in enumerate(messages)
            if message["role"] == "assistant" and message.get("weight") != 0
        ]
        if not turns:
            raise UserError(
                "has no assistant turn to learn", hint="rows without an answer are for generate"
            )
        return turns[-1:] if self.train_on == "last" else turns

    def _ends(self, target: str, start: int, full: str) -> bool:
        """Whether the turn ends in a control token, its own or the next role's."""
        tail = self.tokenizer.encode(target[start:]).ids
        following = self.tokenizer.encode(full[len(target) :]).ids[:1]
        return any(i in self.tokenizer.special_ids for i in (*tail, *following))

    def _next_turn(
        self,
        messages: Sequence[Message],
        k: int,
        target: Rendered,
        tools: list[dict[str, object]] | None,
    ) -> str:
        """What the template writes after turn k when the user speaks again."""
        try:
            longer = self.tokenizer.template.render(
                [*messages[: k + 1], {"role": "user", "content": "x"}], tools=tools
            )
        except UserError:
            return ""
        return longer.text.removeprefix(target.text) if longer.text != target.text else ""

    def _weighed(self, record: Record, plan: Plan, encoded: Encoded) -> TokenRow:
        ids, offsets = list(encoded.ids), encoded.offsets
        weights = [0.0] * len(ids)
        weight = float(record.get("weight", 1.0))
        for span in plan.spans:
            inside = [
                i
                for i, (start, end) in enumerate(offsets)
                if start >= span.start and end <= span.end and end > start
            ]
            last = self._stop(ids, inside, span)
            if last == len(ids):
                ids.append(self._appended(span))
                weights.append(0.0)
            for i in (*inside, last):
                if i <= last:
                    weights[i] = weight
        weights[0] = 0.0  # nothing stands before it to predict it from
        if not any(weights):
            raise UserError("has no token to learn", where=record.where)
        return TokenRow(ids, weights, record["id"], record.where)

    def _stop(self, ids: list[int], inside: list[int], span: Span) -> int:
        """Index of the token that ends the span; `len(ids)` where one must be appended."""
        stops, special = self.tokenizer.stop_ids, self.tokenizer.special_ids
        for i in reversed(inside):
            if ids[i] in stops:
                return self._found(ids, i)
        for i in reversed(inside):
            if ids[i] in special:
                return self._found(ids, i)
            if self.tokenizer.decode([ids[i]]).strip():
                break
        after = inside[-1] + 1 if inside else 0
        if after < len(ids):
            if ids[after] in special:
                return self._found(ids, after)
            return inside[-1]
        return len(ids)

    def _found(self, ids: list[int], i: int) -> int:
        self.stops.add(ids[i])
        return i

    def _appended(self, span: Span) -> int:
        """The stop for a turn that the template leaves open: the next role's token, or eos."""
        following = self.tokenizer.encode(span.next_turn).ids[:1]
        if following and following[0] in self.tokenizer.special_ids:
            stop = following[0]
        elif self.tokenizer.eos_id is not None:
            stop = self.tokenizer.eos_id
        else:
            raise UserError(
                "no token ends an answer: the template writes none and the tokenizer has no eos",
                code=Exit.MISMATCH,
            )
        self.stops.add(stop)
        return stop

    def _fitted(self, sequence: TokenRow) -> list[TokenRow]:
        """Apply `overflow` to a sequence longer than `max_length`."""
        limit = self.max_length
        if limit is None or len(sequence.ids) <= limit:
            return [sequence]
        self.counts["longer than --max-length"] += 1
        if self.overflow == "error":
            self.too_long.append(f"{sequence.where} ({len(sequence.ids)} tokens)")
            return []
        if self.overflow == "drop":
            return self._dropped("dropped", sequence)
        if self.overflow == "split":
            starts = range(0, len(sequence.ids), limit)
            parts = [_cut(sequence, start, start + limit) for start in starts]
            kept = [part for part in parts if part.learned]
            self.counts["pieces of split rows, added"] += len(parts) - 1
            self.counts["pieces without a token to learn, dropped"] += len(parts) - len(kept)
            return kept
        if self.overflow == "truncate-answer":
            cut = _cut(sequence, 0, limit)
        else:
            lead = 1 if sequence.ids[0] in self.tokenizer.special_ids else 0
            tail = _cut(sequence, len(sequence.ids) - limit + lead, len(sequence.ids))
            cut = sequence._replace(
                ids=sequence.ids[:lead] + tail.ids, weights=sequence.weights[:lead] + tail.weights
            )
            if cut.learned < sequence.learned and cut.learned >= limit - lead:
                return self._dropped("answer alone longer than --max-length, dropped", sequence)
        if not cut.learned:
            return self._dropped("nothing left to learn after truncation, dropped", sequence)
        self.counts["truncated"] += 1
        return [cut]

    def _dropped(self, why: str, sequence: TokenRow) -> list[TokenRow]:
        self.counts[why] += 1
        self.dropped.append(sequence.where)
        return []

    def _overflow_error(self) -> UserError:
        shown = ", ".join(self.too_long[:_SHOWN])
        more = len(self.too_long) - _SHOWN
        return UserError(
            f"{len(self.too_long)} rows are longer than --max-length {self.max_length}: {shown}"
            + (f" and {more} more" if more > 0 else ""),
            hint="raise --max-length, or choose --overflow drop, truncate-prompt, "
            "truncate-answer or split",
        )


def prompt_ids(record: Record, tokenizer: Tokenizer) -> list[int]:
    """The ids `generate` starts from: all turns but a last answer, and the generation prompt."""
    if "text" in record:
        return tokenizer.encode(tokenizer.template.literal(record["text"])).ids
    try:
        text = tokenizer.template.render(
            record.prompt(), tools=record.get("tools"), add_generation_prompt=True
        )
    except UserError as error:
        error.where = error.where or record.where
        raise
    return tokenizer.encode(text).ids


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _cut(sequence: TokenRow, start: int, end: int) -> TokenRow:
    return sequence._replace(ids=sequence.ids[start:end], weights=sequence.weights[start:end])


def _not_a_prefix(prompt: str, target: str) -> UserError:
    at = next(
        (i for i, (a, b) in enumerate(zip(prompt, target, strict=False)) if a != b),
        min(len(prompt), len(target)),
    )
    return UserError(
        "the prompt that generation would use is no prefix of the rendered answer:\n"
        f"  prompt … {prompt[max(0, at - 40) : at + 60]!r}\n"
        f"  answer … {target[max(0, at - 40) : at + 60]!r}",
        hint="choose another --template",
        code=Exit.MISMATCH,
    )
