"""Instruction tuning: next-token loss on the answers alone."""

from __future__ import annotations

from instructune.objectives import _causal
from instructune.tokens import Encoding

HEAD = "causal"


class Objective(_causal.NextToken):
    """Chats, of which the answers are learned, and plain texts."""

    def encoding(self, *, learns: bool) -> Encoding:
        """Records to rows of tokens, the answers' weighted."""
        given = self.given
        return Encoding(given.tokenizer, given.train_on, given.limit, given.overflow)
