"""Spans of a text in code points, given so or by tokens."""

from __future__ import annotations

import re
from typing import Any

# between these and their like no space is written
UNSPACED = re.compile("[\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef“”‘’…—]")


def joined(parts: list[str]) -> str:
    """Words or sentences put together, with a space but where either side is Chinese."""
    return "".join(_spaced(parts))


def _spaced(parts: list[str]) -> list[str]:
    """Each part with the space before it."""
    made, last = [], ""
    for part in parts:
        glued = not last or not part or UNSPACED.match(last) or UNSPACED.match(part)
        made.append(part if glued else f" {part}")
        last = part[-1] if part else last
    return made


class Text:
    """A text, and where the tokens stand that it may be made of."""

    def __init__(self, text: Any, tokens: Any) -> None:
        self.tokens: list[tuple[int, int]] = []
        if tokens is None:
            if type(text) is not str:
                raise ValueError("text must be a string")
            self.text = text
            return
        if type(tokens) is not list or not all(type(token) is str for token in tokens):
            raise ValueError("tokens must be a list of strings")
        at = 0
        for token, spaced in zip(tokens, _spaced(tokens), strict=True):
            at += len(spaced)
            self.tokens.append((at - len(token), at))
        self.text = joined(tokens)

    def span(self, start: Any, end: Any) -> dict[str, int]:
        """A span in code points, its end outside."""
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(self.text):
            raise ValueError(f"the span {start} to {end} is not in the text")
        return {"start": start, "end": end}

    def tokens_span(self, start: Any, end: Any, *, ends: bool = False) -> dict[str, int]:
        """A span of tokens; its end is outside, or the last token where `ends`."""
        last = end if ends or type(end) is not int else end - 1
        if type(start) is not int or type(last) is not int:
            raise ValueError("a span of tokens must be two integers")
        if not 0 <= start <= last < len(self.tokens):
            raise ValueError(f"the span {start} to {end} is not among the tokens")
        return self.span(self.tokens[start][0], self.tokens[last][1])

    def found(self, part: Any, place: str) -> dict[str, int]:
        """Where a part stands first."""
        at = self.text.find(part) if type(part) is str and part else -1
        if at < 0:
            raise ValueError(f"{place} does not stand in the text")
        return self.span(at, at + len(part))
