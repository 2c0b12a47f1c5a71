"""Words and the pieces that a tokenizer makes of them: which piece begins which word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from instructune.texts import is_chinese, split


def joined(words: Sequence[str]) -> tuple[str, list[int]]:
    """The words as one text, and where each starts; no blank stands beside Chinese characters."""
    text, starts = "", []
    for word in words:
        if text and word and not (is_chinese(text[-1]) or is_chinese(word[0])):
            text += " "
        starts.append(len(text))
        text += word
    return text, starts


def words_in(text: str) -> list[tuple[int, int]]:
    """Words and other signs of a text, each by its characters `[start, end)`."""
    found, at = [], 0
    for part in split(text):
        if not part.isspace():
            found.append((at, at + len(part)))
        at += len(part)
    return found


def pieces(
    spans: Iterable[tuple[int, int]], offsets: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """For each word by its characters, its first piece and the one behind its last.

    Equal numbers where it has none: it was cut off, or is of signs that the tokenizer leaves out.
    """
    found, i = [], 0
    for start, end in spans:
        while i < len(offsets) and offsets[i][1] <= start:
            i += 1
        first = i
        while i < len(offsets) and offsets[i][0] < end and offsets[i][1] > start:
            i += 1
        found.append((first, i))
        if i > first and offsets[i - 1][1] > end:  # the piece goes on into the next word
            i -= 1
    return found
