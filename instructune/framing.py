"""Texts in, token rows out as encoders read them: `[CLS] a [SEP] b [SEP]`, cut where too long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar

from instructune.errors import usage
from instructune.overflow import Overflow
from instructune.templating.templates import Rendered
from instructune.tokenizer import Encoded, Tokenizer
from instructune.tokens import TokenRow

T = TypeVar("T")
_BATCH = 256  # texts encoded at once


class Framed(NamedTuple):
    """Ids of one text or of two with what stands around them.

    `second` is where the second part begins, the length where there is none; `offsets` are the
    characters of the first text's tokens, of which the first stands at index `lead`.
    """

    ids: list[int]
    second: int
    offsets: Sequence[tuple[int, int]]
    lead: int


class Framing:
    """Puts texts into the frame of a tokenizer; `overflow` says what becomes of too long ones.

    A text is cut at its end, of a pair the longer one, and the frame stays.
    """

    def __init__(self, tokenizer: Tokenizer, limit: int | None, overflow: str) -> None:
        if overflow == "split":
            raise usage("'split' is for objectives that learn tokens", where="--overflow")
        self.tokenizer, self.frame, self.limit = tokenizer, tokenizer.frame, limit
        self._overflow = Overflow(overflow, limit)
        self.stops: set[int] = set()

    @property
    def counts(self) -> Counter[str]:
        """Rows gained, lost and cut, by cause."""
        return self._overflow.counts

    @property
    def dropped(self) -> list[str]:
        """Places of the rows that were dropped."""
        return self._overflow.dropped

    def check(self) -> None:
        """Refuse the rows that are too long, once all were seen."""
        self._overflow.check()

    def framed(
        self, rows: Iterable[tuple[Sequence[str], str, T]]
    ) -> Iterator[tuple[Framed | None, T]]:
        """The one or two texts of each row, which names its place and what they go with.

        None in the place of those that are left out.
        """
        rows = iter(rows)
        while batch := list(islice(rows, _BATCH)):
            literal = self.tokenizer.template.literal
            texts: list[Rendered] = [literal(text) for given, _, _ in batch for text in given]
            encoded = iter(self.tokenizer.encode_batch(texts))
            for given, where, about in batch:
                yield self._fit([next(encoded) for _ in given], where), about

    def _fit(self, parts: list[Encoded], where: str) -> Framed | None:
        frame = self.frame
        around = len(frame.before) + len(frame.after)
        if len(parts) == 2:
            around = len(frame.before) + len(frame.between) + len(frame.after_pair)
        lengths = [len(part.ids) for part in parts]
        over = 0 if self.limit is None else sum(lengths) + around - self.limit
        if over > 0:
            if self._overflow.choice in ("error", "drop"):
                row = TokenRow([0] * (sum(lengths) + around), [1.0], "", where)
                self._overflow.refuse(row)
                return None
            self.counts["longer than --max-length"] += 1
            self.counts["truncated"] += 1
            lengths = _cut(lengths, over)
        first = parts[0].ids[: lengths[0]]
        ids = [*frame.before, *first]
        second = len(ids)
        if len(parts) == 2:
            ids += frame.between
            second = len(ids)
            ids += [*parts[1].ids[: lengths[1]], *frame.after_pair]
        else:
            ids += frame.after
            second = len(ids)
        return Framed(ids, second, parts[0].offsets[: lengths[0]], len(frame.before))


def _cut(lengths: list[int], over: int) -> list[int]:
    """Lengths that are less by `over` in all, taken from whichever is the longer."""
    if len(lengths) == 1:
        return [max(0, lengths[0] - over)]
    one, two = lengths
    for _ in range(over):
        if one > two:
            one -= 1
        else:
            two -= 1
    return [max(0, one), max(0, two)]
