"""Sequences longer than the limit: named, dropped, cut or split, and each of them counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instructune.errors import UserError

if TYPE_CHECKING:
    from instructune.tokens import TokenRow

_SHOWN = 5


@dataclass
class Overflow:
    """What is done with a sequence of more than `limit` tokens, and what was done.

    `counts` names causes: those that end in "added" or "dropped" are the sequences gained and
    lost. `too_long` holds tokens by the row's place, `dropped` places.
    """

    choice: str
    limit: int | None
    counts: Counter[str] = field(default_factory=Counter)
    too_long: dict[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)

    def fit(self, row: TokenRow, answer: int, lead: int) -> list[TokenRow]:
        """The sequences to train on for `row`.

        `answer` is the index at which the last answer starts; the first `lead` tokens (0 or 1)
        stay in front when the prompt is cut.
        """
        if self.limit is None or len(row.ids) <= self.limit:
            return [row]
        if self.choice in ("error", "drop"):
            return self.refuse(row)
        self.counts["longer than --max-length"] += 1
        if self.choice == "split":
            return self._split(row, self.limit)
        if self.choice == "truncate-answer":
            cut = _slice(row, 0, self.limit)
        else:
            start = len(row.ids) - self.limit + lead
            if start > answer - (not lead):  # a token must stay before the answer's first
                return self._drop("answer alone longer than --max-length, dropped", row)
            cut = self._tail(row, start, answer, lead)
        if not cut.learned:
            return self._drop("nothing left to learn after truncation, dropped", row)
        self.counts["truncated"] += 1
        return [cut]

    def refuse(self, row: TokenRow) -> list[TokenRow]:
        """Leave a row out: an error in the end, or dropped."""
        self.counts["longer than --max-length"] += 1
        if self.choice != "error":
            return self._drop("longer than --max-length, dropped", row)
        self.too_long[row.where] = max(len(row.ids), self.too_long.get(row.where, 0))
        return []

    def _tail(self, row: TokenRow, start: int, answer: int, lead: int) -> TokenRow:
        """The first `lead` tokens and those from `start` on.

        An earlier answer that lost its prompt, or part of itself, is only context.
        """
        weights = row.weights[start:]
        if start < answer and weights[0]:
            self.counts["earlier answers cut, no longer learned"] += 1
            for i in range(answer - start):
                if not weights[i]:
                    break
                weights[i] = 0.0
        return row._replace(ids=row.ids[:lead] + row.ids[start:], weights=[0.0] * lead + weights)

    def _split(self, row: TokenRow, limit: int) -> list[TokenRow]:
        """Pieces that overlap by a token, so that each token is predicted from the one before."""
        pieces = [_slice(row, i, i + limit) for i in range(0, len(row.ids) - 1, limit - 1)]
        kept = [piece for piece in pieces if piece.learned]
        self.counts["pieces of split rows, added"] += len(pieces) - 1
        self.counts["pieces without a token to learn, dropped"] += len(pieces) - len(kept)
        return kept

    def _drop(self, why: str, row: TokenRow) -> list[TokenRow]:
        self.counts[why] += 1
        self.dropped.append(row.where)
        return []

    def check(self) -> None:
        """Refuse the rows that are too long, once all were seen."""
        if not self.too_long:
            return
        places = [f"{where} ({tokens} tokens)" for where, tokens in self.too_long.items()]
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        raise UserError(
            f"{len(places)} rows are longer than --max-length {self.limit}: "
            + ", ".join(places[:_SHOWN])
            + more,
            hint="raise --max-length, or choose --overflow drop, truncate-prompt, "
            "truncate-answer or split",
        )


def _slice(row: TokenRow, start: int, end: int) -> TokenRow:
    """Tokens `start` to `end`; nothing stands before the first to predict it from."""
    return row._replace(ids=row.ids[start:end], weights=[0.0, *row.weights[start + 1 : end]])
