"""Drops rows whose answer was cut off: an open code fence, open JSON, or no end to a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from instructune.records import Record
from instructune.texts import answer_of

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})([^`\n]*)$", re.M)
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\\n]|\\.)*'", re.S)
_INTERVAL = re.compile(r"\[[^\[\](){},;]+[,;][^\[\](){},;]+\)")  # half open: [0, 1)
_PAUSES = tuple(",，、；")  # a semicolon ends lines of code
_ANNOUNCES = tuple(":：([（【《")
_OPERATORS = tuple("&+=<")
_QUOTES = tuple("“‘")
# words that no English sentence, title or name ends in; "to", "as" or "is" may well be the last
_HANGING = frozenset(
    ["an", "the", "and", "or", "because", "although", "whose", "every"]
    + ["their", "your", "our", "my", "its", "it's", "I'm", "we're", "they're", "you're", "I've"]
)
_BEFORE_A = frozenset(
    ["of", "with", "for", "to", "as", "by", "like", "such", "from", "has", "had", "have", "into"]
)
# a sentence of one of these words has only begun
_BEGUN = re.compile(
    r"[.!?][\"')]?\s+(?:An?|The|In|If|It|This|These|For|To|With|By|As|And|But|When|We|They|He|She"
    r"|His|Her|Their|Our|My|Your|Its|However|Additionally|Furthermore)\Z"
)
_HANGING_ZH = (
    *("因为", "如果", "但是", "而且", "以及", "或者", "并且", "虽然", "由于", "尽管", "即使"),
    *("例如", "比如", "不仅", "不但"),
)
_CLOSING = re.compile(r"\A\s*[A-Z][\w']*(?: [\w']+){0,3},\Z")  # of a letter: Kind regards,
_CODE = re.compile(r"[=<>{}()\[\]\"#*]")
_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z\"'(])|[。！？]")
_NO_PROSE = re.compile(r"\s*(?:[-*+•|>#]|\d+[.)、]|[A-Z][\w ]{0,30}:|\S+\Z|.*https?://\S+\Z)")


@dataclass(frozen=True)
class Options:
    """`min_words`: a last line of prose this long must end as sentences do; 0, the default, minds
    no missing stop, for many whole answers lack theirs.
    """

    fences: bool = True
    brackets: bool = True
    sentences: bool = True
    min_words: int = 0


class Filter:
    """Tells only what shows: "42", names, titles, lists and code are whole without a stop."""

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
            if self._options.fences and _in_fence(text):
                return "answer ends inside a code fence"
            if text.endswith(("```", "~~~")):
                return None
        if text[0] in "{[" and self._options.brackets and _is_open(text):
            return "answer ends inside brackets"
        if self._options.sentences and self._is_cut(text):
            return "answer ends within a sentence"
        return None

    def _is_cut(self, text: str) -> bool:
        head, _, last = text.rpartition("\n")
        if text.endswith(_PAUSES):
            return _wordy(last, 5) and not (
                _is_column(head, last[-1]) or _CLOSING.match(last) or _CODE.search(last)
            )
        if text.endswith(_ANNOUNCES):
            return _wordy(last, 3) and not _is_code(last) and last[-2] not in ":;=-"
        if text.endswith(_OPERATORS):
            return _wordy(last, 3) and last[-2].isspace()
        if text.endswith(_QUOTES):
            return _wordy(last, 3) and not last[-2].isalnum()
        return _hangs(text, last) or self._lacks_stop(text, last)

    def _lacks_stop(self, text: str, last: str) -> bool:
        """Whether a long last line ends without a stop, where the text has others."""
        return (
            self._options.min_words > 0
            and text[-1].isalpha()
            and not _NO_PROSE.match(last)
            and _wordy(last, self._options.min_words)
            and bool(_SENTENCE.search(text))
            and not _is_code(last)
        )


def _hangs(text: str, last: str) -> bool:
    """Whether the last word asks for another."""
    if not text[-1].isascii():
        return text.endswith(_HANGING_ZH) and len(last) > 8
    if not text[-1].isalpha() or not _wordy(last, 5):
        return False
    before, word = last.replace("’", "'").split()[-2:]
    if before.endswith((",", ":", '"', "'", "=")):  # a word among others: a, an, the
        return False
    hanging = word in _HANGING or word == "a" and before in _BEFORE_A
    return hanging or bool(_BEGUN.search(last))


def _wordy(line: str, least: int) -> bool:
    """Whether a line has so many words; two Chinese signs make one."""
    wide = sum("\u4e00" <= sign <= "\u9fff" for sign in line)
    return len(line.split()) + wide // 2 >= least


def _is_column(head: str, mark: str) -> bool:
    """Whether the line before ends in the same mark: a list, a table or a poem."""
    return head.rstrip().endswith(mark)


def _is_code(line: str) -> bool:
    return line[:4] in ("    ", "\t") or bool(re.search(r"[=;{}()\[\]]\s*[=;{}()\[\]\w]*\(", line))


def _in_fence(text: str) -> bool:
    """Whether a fence is open at the end; one that ends the text bare closes some fence."""
    fence = ""
    for mark, told in _FENCE.findall(text):
        if not fence:
            fence = mark
        elif mark.startswith(fence) and not told.strip():
            fence = ""
    last = text.rpartition("\n")[2].strip()
    return bool(fence) and last.strip("`~") != ""


def _is_open(text: str) -> bool:
    """Whether what begins as JSON lacks brackets at its end."""
    bare = _INTERVAL.sub("", _STRING.sub("", text))
    return any(bare.count(a) > bare.count(b) for a, b in ("{}", "[]"))
