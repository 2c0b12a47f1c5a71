"""Drops rows whose answer was cut off: an open code fence, open JSON, or no end to a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.records import Record
from instructune.texts import answer_of

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)", re.M)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.S)
_GOES_ON = tuple(",，、;；:：(（[【“‘&+=<《")
# words no English sentence ends in
_HANGING = frozenset(
    ["a", "an", "the", "and", "or", "but", "of", "because", "if", "than", "which", "while", "as"]
    + ["from", "with", "into", "their", "your", "our", "my", "its", "is", "are", "was", "were"]
    + ["although", "whose", "very", "every", "between", "during", "to", "by", "for", "at"]
)
_HANGING_ZH = (
    "因为",
    "如果",
    "但是",
    "而且",
    "以及",
    "或者",
    "并且",
    "虽然",
    "和",
    "与",
    "及",
    "或",
    "把",
    "被",
)
_END = re.compile(r"[.!?…。！？~～:：]|[\"'”’」』)\]）】}>*`_|$%°]\Z")
_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z\"'(])|[。！？]")
_NO_PROSE = re.compile(r"\s*(?:[-*+•|>#]|\d+[.)、]|[A-Z][\w ]{0,30}:|\S+\Z|.*https?://\S+\Z)")


@dataclass(frozen=True)
class Options:
    """`min_words`: a last line of prose this long must end as sentences do (0: never mind)."""

    fences: bool = True
    brackets: bool = True
    sentences: bool = True
    min_words: int = 12


class Filter:
    """Code in fences is not asked for sentences; a short answer may be a name."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        if "messages" not in record or not (answer := answer_of(record)):
            return None
        text = answer.rstrip()
        if not text:
            return None
        if "```" in text or "~~~" in text:
            if self._options.fences and len(_FENCE.findall(text)) % 2:
                return "answer ends inside a code fence"
            if text.endswith(("```", "~~~")):
                return None
        if text[0] in "{[" and self._options.brackets and _is_open(text):
            return "answer ends inside brackets"
        if self._options.sentences and self._is_cut(text):
            return "answer ends within a sentence"
        return None

    def _is_cut(self, text: str) -> bool:
        last = text.rpartition("\n")[2]
        if text.endswith(_GOES_ON):
            return _wordy(last, 3) and not _is_code(last)
        if text[-1].isascii() and text[-1].isalpha():
            word = re.search(r"[A-Za-z]+\Z", last)
            if word and word[0] in _HANGING and _wordy(last, 5):
                return True
        elif text.endswith(_HANGING_ZH) and len(last) > 8:
            return True
        return (
            self._options.min_words > 0
            and (text[-1].isalpha() or text[-1] == ",")
            and not _END.search(text[-1])
            and not _NO_PROSE.match(last)
            and _wordy(last, self._options.min_words)
            and bool(_SENTENCE.search(text))
            and not _is_code(last)
        )


def _wordy(line: str, least: int) -> bool:
    """Whether a line has so many words; two Chinese signs make one."""
    wide = sum("\u4e00" <= sign <= "\u9fff" for sign in line)
    return len(line.split()) + wide // 2 >= least


def _is_code(line: str) -> bool:
    return line[:4] in ("    ", "\t") or bool(re.search(r"[=;{}()\[\]]\s*[=;{}()\[\]\w]*\(", line))


def _is_open(text: str) -> bool:
    """Whether what begins as JSON lacks brackets at its end."""
    bare = _STRING.sub("", text)
    return any(bare.count(a) > bare.count(b) for a, b in ("{}", "[]"))
