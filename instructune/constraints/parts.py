"""English constraints on parts of an answer: numbered items, words a sentence or line, scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints.found import Found, found
from instructune.constraints.quantities import (
    NUMBER,
    RELATION,
    bounded,
    number,
    of_each,
    quantities,
)

Rule = Callable[[str], Iterator[Found]]
_I = re.IGNORECASE

_NUMBERED_LIST = re.compile(
    r"\b(?:in|into|as|use|using|with|write|give|make|create|provide|return|present|format)\b"
    r"[^.!?\n]{0,40}?\bnumbered list\b"
    rf"(?:\s+(?:of|with|containing|that has)\s+(?:(?:{RELATION})\s+)?(?P<n>{NUMBER})\b)?",
    _I,
)


def numbered_items(text: str) -> Iterator[Found]:
    """As in "five numbered steps", "a numbered list of at least three tips"."""
    unit = r"numbered (?:list )?(?:items?|points?|steps?|lines?|tips?|entries)"
    counted = False
    for quantity in quantities(text, unit):
        counted = True
        cut = text[quantity.start : quantity.end]
        yield found("numbered_items", cut, **quantity.bounds())
    match = None if counted else _NUMBERED_LIST.search(text)
    if match:
        stated = bounded(match, number(match["n"])).bounds() if match["n"] else {"min": 1}
        yield found("numbered_items", match.group(), **stated)


def _words_of_each(part: str) -> Rule:
    """A rule that words are counted in each such part, by the check `part`_words."""

    def rule(text: str) -> Iterator[Found]:
        for quantity in quantities(text, r"words?", adjectives=0, shared=True):
            if quantity.relation != "about" and of_each(text, quantity, part):
                yield found(
                    f"{part}_words", text[quantity.start : quantity.end], **quantity.bounds()
                )

    return rule


sentence_words = _words_of_each("sentence")
line_words = _words_of_each("line")

_KINDS = {
    "emoji": r"emojis?",
    "digits": r"(?:arabic )?(?:digits|numerals)",
    "latin": r"(?:latin|english|roman) (?:letters|characters|words)",
    "chinese": r"chinese (?:characters|words)",
}
_KIND = "|".join(_KINDS.values())
_NO_KINDS = re.compile(
    r"\b(?:no|without(?: using)?|free of|avoid(?: using)?|refrain from using"
    r"|(?:do not|don't|never|not to|cannot|must not|should not)"
    r"(?:\s+(?:use|using|include|contain|write|have))?)"
    rf"\s+(?:any\s+)?(?P<kinds>(?:{_KIND})(?:(?:\s*,\s*(?:(?:or|and|nor)\s+)?|\s+(?:or|and|nor)\s+)"
    rf"(?:any\s+|no\s+)?(?:{_KIND}))*)\b",
    _I,
)


def forbid_script(text: str) -> Iterator[Found]:
    """As in "no emojis or digits", "without English letters"."""
    for match in _NO_KINDS.finditer(text):
        kinds = [k for k, said in _KINDS.items() if re.search(rf"\b{said}\b", match["kinds"], _I)]
        yield found("forbid_script", match.group(), kinds=kinds)


_CHINESE_MARKS = re.compile(
    r"\b(?:use|using|with|in)\b[^.!?\n]{0,20}\b(?:chinese|full-?width) punctuation\b", _I
)

_NOT = re.compile(r"(?:\b(?:not|never|avoid|without)|n't)\s*$", _I)


def chinese_punctuation(text: str) -> Iterator[Found]:
    """As in "use Chinese punctuation marks"."""
    match = _CHINESE_MARKS.search(text)
    if match and not _NOT.search(text[: match.start()]):
        yield found("chinese_punctuation", match.group())


RULES: list[Rule] = [
    numbered_items,
    sentence_words,
    line_words,
    forbid_script,
    chinese_punctuation,
]
