"""English constraints on style: case, punctuation, language, and how an answer starts or ends."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints.found import Found, found
from instructune.constraints.quantities import (
    NUMBER,
    RELATION,
    Quantity,
    bounded,
    number,
    times,
)
from instructune.preparing.languages import LANGUAGES

Rule = Callable[[str], Iterator[Found]]
_I = re.IGNORECASE

_COMMAS = re.compile(
    r"\b(?:no|not|without|n't|avoid\w*|refrain\w*|never|free of|cannot|don't|doesn't|can't)\b"
    r"[^.!?\n]{0,80}?\bcommas?\b",
    _I,
)
_NO_MARKS = re.compile(r"\b(?:without|no|do not use|don't use)\s+(?:any\s+)?punctuation\b", _I)

_CAPITAL = r"(?:capital(?:s|ized|ised)?(?: letters?)?|upper ?-?case(?: letters?)?|caps)"
_UPPER = re.compile(
    r"\b(?:in|use|using|only|with)\s+(?:only\s+|all\s+|just\s+)*"
    rf"{_CAPITAL}\b"
    r"|\ball[- ](?:caps|capitals|capital letters|upper ?-?case)\b"
    r"|\b(?:capitali[sz]e|uppercase) (?:all|every|each)\b(?: of)?(?: your)?(?: words?| letters?)"
    r"|\b(?:no|without(?: any)?|not a single word[^.\n]{0,40}) lower ?-?case\b"
    r"|\b(?:all|every)\s+letters?\b[^.\n]{0,40}\b(?:capitali[sz]ed|upper ?-?case)\b",
    _I,
)
_LOWER = re.compile(
    r"\b(?:in|use|using|only|with|entirely|be|is)\s+"
    r"(?:only\s+|all\s+|just\s+|entirely\s+)*(?:in\s+)?"
    r"lower ?-?cased?s?\b"
    r"|\ball\s+(?:in\s+)?(?:the\s+)?(?:letters?\s+)?lower ?-?cased?\b"
    r"|\bletters?(?: (?:are|is|be|being|should be|must be|in|all))* lower ?-?cased?\b"
    r"|\b(?:no|without(?: using)?(?: any)?|not? use(?: any)?)\s+(?:capitals?|upper ?-?case)\b"
    r"|\bnot a single letter\b[^.\n]{0,40}\bcapitali[sz]ed",
    _I,
)
_CAPITAL_WORDS = re.compile(
    r"\bwords?\s+(?:(?:that are|written|are)\s+)?(?:in|with|of)\s+(?:all\s+)?(?:the\s+)?"
    r"(?:capitals?|upper ?-?case|caps)\b"
    r"|\ball[- ](?:caps?|capital|upper ?-?case) words?\b|\b(?:fully )?capitali[sz]ed words?\b"
    r"|\bcapitali[sz]e\b[^.\n]{0,30}\bwords\b",
    _I,
)
_ALL_WORDS = re.compile(r"capitali[sz]e (?:all|every|each)\b[^.\n]{0,20}words?", _I)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_SO_MANY_WORDS = re.compile(rf"\b(?P<n>{NUMBER})\s+words?\b", _I)
_AMOUNT = re.compile(rf"(?:\b(?:{RELATION})\s+)(?P<n>{NUMBER})\b(?P<more> or more| or less)?", _I)


def no_commas(text: str) -> Iterator[Found]:
    """As in "do not use commas"."""
    if match := _COMMAS.search(text):
        yield found("no_commas", match.group())
    if match := _NO_MARKS.search(text):
        yield found("no_punctuation", match.group())


def capital_words(text: str) -> Iterator[Found]:
    """As in "words in all capitals should appear at least 3 times"."""
    if _ALL_WORDS.search(text):
        return
    sentences = [sentence for sentence in _SENTENCE.split(text) if _CAPITAL_WORDS.search(sentence)]
    counted = [(sentence, _amount(sentence)) for sentence in sentences]
    for sentence, quantity in sorted(counted, key=lambda pair: pair[1] is None)[:1]:
        bounds = quantity.bounds(plain="min") if quantity else {"min": 1}
        yield found("capital_words", sentence, **bounds)


def _amount(sentence: str) -> Quantity | None:
    """The number that a sentence on words in capitals gives."""
    if quantity := times(sentence, 0, len(sentence)):
        return quantity
    match = _AMOUNT.search(sentence) or _SO_MANY_WORDS.search(sentence)
    return bounded(match, number(match["n"])) if match else None


def case(text: str) -> Iterator[Found]:
    """As in "in all lowercase letters", "all caps"; not where only some words are meant."""
    if lower := _LOWER.search(text):
        yield found("all_lower", lower.group())
        return
    some = [] if _ALL_WORDS.search(text) else list(_CAPITAL_WORDS.finditer(text))
    for match in _UPPER.finditer(text):
        if not any(s.start() - 20 <= match.start() < s.end() + 20 for s in some):
            yield found("all_upper", match.group())
            return


_NAMES = {name: code for code, (_, name, _) in LANGUAGES.items()}
_NAMES |= {"Farsi": "fa", "Mandarin": "zh"}
_LANGUAGE = "|".join(_NAMES)
_SAYING = (
    "respond|reply|answer|response|write|written|output|speak|explain|poem|letter|haiku|riddle"
    "|rewrite|joke|be|it's|is|use|using|only|entirely|completely|solely"
)
_SPOKEN = re.compile(
    rf"\b(?i:{_SAYING})\b[^.!?\n]{{0,60}}?\b(?i:in|only|entirely|using|use)\s+"
    rf"(?:the\s+|only\s+|only the\s+)*(?P<language>{_LANGUAGE})\b"
    rf"|\b(?P<alone>{_LANGUAGE})\b(?: language)?,? (?:only|and no other|no other language)"
    rf"|\bexcept (?:for )?(?P<except>{_LANGUAGE})\b",
)
_NAMED = re.compile(rf"\b(?:{_LANGUAGE})\b")
_TRANSLATES = re.compile(r"\b(?:translat|render|convert|turn|put)\w*\b", _I)


def language(text: str) -> Iterator[Found]:
    """As in "reply in French", "using only Kannada"; not the target of a translation."""
    if not _NAMED.search(text):
        return
    for match in _SPOKEN.finditer(text):
        if _TRANSLATES.search(text[max(0, match.start() - 40) : match.end()]):
            continue
        name = match["language"] or match["alone"] or match["except"]
        yield found("response_language", match.group(), language=_NAMES[name])
        return


_END = re.compile(
    r"\b(?:end|ends|ending|finish\w*|conclud\w*|close)\b(?P<between>[^\"\n]{0,90}?)"
    r"\"(?P<text>[^\"\n]{2,200})\"",
    _I,
)
_WITH = re.compile(r"\bwith|phrase|sentence|words?|line|by\b", _I)
_OTHERWISE = re.compile(r"P\.S|postscript|\bstart", _I)
_END_BARE = re.compile(
    r"\b(?i:end|finish|conclude)\b[^.\n]{0,40}\bphrase(?: of)?:?\s+"
    r"(?P<text>[A-Z][^\"\n]{3,150}[.!?])(?:\s|$)"
    r"|\bvery end\b[^.:\n]{0,60}\b(?:exactly like|exactly|read|be):\s*(?P<read>[^\n]{3,150})",
)
_START = re.compile(
    r"(?<!\bi )(?<!'ll )\b(?:start|begin|starts|begins|starting|beginning|open)\b"
    r"[^\"\n.]{0,50}?\bwith\b[^\"\n.]{0,30}\"(?P<text>[^\"\n]{1,200})\"",
    _I,
)
_PART = re.compile(r"paragraph|section|line|postscript|\bX\b|P\.", _I)


def ends_with(text: str) -> Iterator[Found]:
    """As in "finish with this exact phrase"."""
    for match in _END.finditer(text):
        between = match["between"]
        if _WITH.search(between) and not _OTHERWISE.search(between):
            yield found("ends_with", match.group(), text=match["text"])
            return
    if bare := _END_BARE.search(text):
        yield found("ends_with", bare.group(), text=(bare["text"] or bare["read"]).strip())


def starts_with(text: str) -> Iterator[Found]:
    """As in "start your reply with"; not the start of a part of it."""
    for match in _START.finditer(text):
        if not _PART.search(text[max(0, match.start() - 60) : match.end()]):
            yield found("starts_with", match.group(), text=match["text"])
            return


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}
_ORDINALS |= {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "6th": 6}
_NTH = rf"(?:(?P<nth>{'|'.join(_ORDINALS)})\s+paragraph|paragraph\s+(?P<n>{NUMBER}))"
_WITH_WORD = r"\s+with\s+(?:the\s+)?(?:word\s+)?\"?(?P<word>[\w'-]+)\"?"
_FIRST_WORDS = (
    re.compile(rf"{_NTH}[^.\n]{{0,40}}?\b(?:start|begin)\w*{_WITH_WORD}", _I),
    re.compile(rf"\b(?:start|begin)\w*\s+(?:the\s+)?(?:very\s+)?{_NTH}{_WITH_WORD}", _I),
)


def first_word(text: str) -> Iterator[Found]:
    """As in "the second paragraph must start with the word"."""
    for match in (match for pattern in _FIRST_WORDS for match in pattern.finditer(text)):
        place = _ORDINALS[match["nth"].lower()] if match["nth"] else number(match["n"])
        yield found("first_word", match.group(), word=match["word"], paragraph=place)


RULES: list[Rule] = [
    no_commas,
    capital_words,
    case,
    language,
    ends_with,
    starts_with,
    first_word,
]
