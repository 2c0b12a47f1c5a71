"""Texts that end an answer, looked for in its tokens as they come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from instructune.tokenizer import Tokenizer


class Stops:
    """The texts of `--stop`; there may be none."""

    def __init__(self, texts: Sequence[str], tokenizer: Tokenizer) -> None:
        self.texts, self.tokenizer = texts, tokenizer
        # a token of an answer is a byte at least, and what was cut may have been part of a letter
        self._most = max((len(text.encode()) for text in texts), default=0) + 4

    def ended(self, ids: list[int]) -> bool:
        """Whether the answer holds one of them, looking at no more than its end may hold."""
        words = (i for i in reversed(ids) if i not in self.tokenizer.special_ids)
        tail = self.tokenizer.decode([*islice(words, self._most)][::-1])
        return any(text in tail for text in self.texts) and self.cut(ids)[1]

    def cut(self, ids: list[int]) -> tuple[str, bool]:
        """The answer before the first of them in it, and whether there is one."""
        answer = self.tokenizer.decode(ids)
        found = [at for text in self.texts if (at := answer.find(text)) >= 0]
        return (answer[: min(found)], True) if found else (answer, False)
