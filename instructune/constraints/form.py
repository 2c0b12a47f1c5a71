"""English constraints on form: JSON, titles, postscripts, quotes, choices, repeated requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import dropwhile, takewhile

from instructune.constraints.found import Found, found
from instructune.constraints.lists import quoted_list
from instructune.constraints.quantities import NUMBER, number

Rule = Callable[[str], Iterator[Found]]
_I = re.IGNORECASE

_JSON = re.compile(
    r"\b(?:in|as|into|using|return|output|valid|wrap\w*|give|produce|with)\b"
    r"(?:(?!this|following|parse|read)[^.\n]){0,40}?\bJSON\b(?! (?:file|data|below|above)s?\b)"
    r"(?P<kind>\s+(?:object|array|list))?",
    _I,
)
_KEYS = re.compile(r"\b(?:keys?|fields?)\b(?: named| called)?:?\s*", _I)
_REPEATS = re.compile(r"\brepl?eat(?:ing|ed)?\b", _I)
_REPEATED = re.compile(r"\b(?:request|sentence|prompt|question|instruction|line|it)s?\b", _I)
_AS_IT_IS = re.compile(r"\b(?:first|before|above|below|word for word|exact(?:ly)?)\b", _I)
_NOT_REPEATED = re.compile(r"\b(?:not?|\w*n't|never|avoid|without) repeat", _I)
_ANSWERS = re.compile(
    rf"\b(?P<n>{NUMBER})\s+(?:[a-z]+\s+){{0,2}}"
    r"(?:responses|answers|versions|poems|alternatives)\b",
    _I,
)
_QUOTED = re.compile(
    r"\bdouble (?:quotations?(?: marks?)?|quotes)"
    r"|\b(?:wrap|enclose|surround)\w*\b[^.\n]{0,60}\bquot(?:ation marks|es)\b",
    _I,
)


def json_format(text: str) -> Iterator[Found]:
    """As in "answer in JSON", with the keys it must have where they are named."""
    if match := _JSON.search(text):
        args: dict[str, str | list[str]] = {}
        kind = (match["kind"] or "").strip().lower()
        if kind:
            args["type"] = "object" if kind == "object" else "array"
        keys = _KEYS.search(text, match.end(), match.end() + 60)
        if keys and (names := quoted_list(text, keys.end(), bare=True).items):
            args |= {"type": "object", "keys": names}
        yield found("json_format", match.group(), **args)


def title(text: str) -> Iterator[Found]:
    """As in "a title in double angular brackets, i.e. <<title>>"."""
    if match := re.search(r"\bdouble angu?l?a?r? ?brackets?|<<[^<>\n]+>>", text, _I):
        yield found("title", match.group())


def postscript(text: str) -> Iterator[Found]:
    """As in "a postscript starting with P.S."."""
    marked = re.search(r"\bP\.\s?(?P<second>P\.\s?)?S\b\.?", text)
    named = re.search(r"\bpost[- ]?script\b(?! file)", text, _I)
    if marked or named:
        marker = "P.P.S" if marked and marked["second"] else "P.S."
        evidence = next(match.group() for match in (marked, named) if match)
        yield found("postscript", evidence, marker=marker)


def responses(text: str) -> Iterator[Found]:
    """As in "two different responses, separated by ******"."""
    stars = re.search(r"(?<![*\\])\*{6}(?!\*)|\b(?:6|six) ast?erisks?\b", text, _I)
    if not stars:
        return
    count = _ANSWERS.search(text)
    n = number(count["n"]) if count else 2
    yield found("responses", f"{count.group() if count else ''} {stars.group()}", n=max(n, 2))


def repeat_prompt(text: str) -> Iterator[Found]:
    """As in "First repeat the request above": the request is the rest of the prompt."""
    for match in re.finditer(r"[^.\n]+", text) if _REPEATS.search(text) else ():
        sentence = match.group()
        if not _REPEATS.search(sentence):
            continue
        asked = _REPEATED.search(sentence) and _AS_IT_IS.search(text)
        if not asked or _NOT_REPEATED.search(sentence):
            continue
        before = text[: match.start()].strip()
        lines = text[match.end() :].partition("\n")[2].split("\n")
        after = "\n".join(dropwhile(lambda line: not line or _REPEATS.search(line), lines))
        request = before or after.strip()
        if request:
            yield found("repeat_prompt", sentence, text=request)
            return


def quoted(text: str) -> Iterator[Found]:
    """As in "wrap your entire response in double quotation marks"."""
    if match := _QUOTED.search(text):
        yield found("quoted", match.group())


_CHOOSE = re.compile(
    r"\b(?:(?:choose|pick|select)\b[^.\n\"(:]{0,40}?(?:from|of|between)"
    r"|(?:answer|reply|respond|contain|say|give)\b[^.\n\"(:]{0,40}?\b(?:one of|either)"
    r"|(?:just|only) (?:say|answer)|(?<!not )(?:answer|reply|respond)(?: only)?(?: with)?)"
    r"(?:[^.\n\"(:]{0,40}:|\b[^.\n\"(:]{0,40}?)\s*\(?(?=[\"'\n])",
    _I,
)
_OR = r"\s*(?:,|/|\bor\b|\n)\s*(?:or\s+)?"
_YES_NO = re.compile(
    r"\b(?:answer|reply|respond)\s+(?:only\s+)?(?:with\s+)?(?:only\s+)?(?:either\s+)?(?:a\s+)?"
    r"(?P<first>yes|true)(?:,?\s+or\s+|/)(?P<second>no|false)\b(?!\w)",
    _I,
)
_OPTION = 60  # characters of an option on a line of its own, at most


def choice(text: str) -> Iterator[Found]:
    """As in "answer with one of the following phrases", "reply yes or no"."""
    for match in _CHOOSE.finditer(text):
        listed = quoted_list(text, match.end(), separators=_OR)
        options = listed.items
        if not options and _FROM.search(match.group()):
            options = _option_lines(text[match.end() :])
        if len(options) > 1:
            yield found("choice", text[match.start() : listed.end], options=options)
            return
    if yes_no := _YES_NO.search(text):
        options = [yes_no["first"].lower(), yes_no["second"].lower()]
        yield found("choice", yes_no.group(), options=options)


def _option_lines(text: str) -> list[str]:
    """The short lines at the start of a text, up to a blank one or one that asks for the choice."""
    lines = (line.strip() for line in text.strip().split("\n"))
    short = takewhile(lambda line: 0 < len(line) <= _OPTION and not _CHOOSING.search(line), lines)
    return list(short)


_FROM = re.compile(r"\b(?:choose|pick|select|one of)\b.*:\s*$", _I | re.DOTALL)
_CHOOSING = re.compile(r"\b(?:choose|pick|select)\b", _I)


RULES: list[Rule] = [json_format, title, postscript, responses, repeat_prompt, quoted, choice]
