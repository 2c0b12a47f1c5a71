"""English constraints on words and letters: to use, to avoid, and how often."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints.found import Found, found
from instructune.constraints.lists import quoted_list
from instructune.constraints.quantities import NUMBER, Quantity, number, times

Rule = Callable[[str], Iterator[Found]]
_I = re.IGNORECASE

# a list of words without quotes needs one of these before it: "400 words about" names none
_NAMED = re.compile(
    r"\b(?P<pointed>(?:the|these|following|exact|negative)\s+(?:(?:two|three|following|exact) )*)?"
    r"(?P<noun>key ?-?words?|words?|phrases?|terms?|items|lines?|names?)\b"
    r"(?: of| such as| like| called| are)?(?P<colon>\s*:)?\s*(?=[\"'\[«:(`]|[^\W_])",
    _I,
)
_DIRECT = re.compile(
    r"\b(?:includ(?:e|ing)|mention(?:ing)?|say(?:ing)?|us(?:e|ing)|contain(?:ing)?|incorporate)\s+"
    r"(?:the name\s+|the\s+|any of\s+)?(?=[\"'])",
    _I,
)
# an order begins its clause or follows "must" and the like; a text tells what it includes
_ORDER = (
    r"(?:^|[.!?,;:)]\s*|\b(?:please|and|but|must|should|shall|to|also|then|not|n't|forget|you|will|it"
    r"|response|answer|reply|sure|just|only|has|have|poem|story|that|which|essay|letter|song|with)\s+)"
)
_WANT = re.compile(
    rf"{_ORDER}(?:includ\w*|mention|us(?:e|es|ing)|contains?|incorporate|say|add|feature|has|have)"
    r"\b[^.!?\n]{0,60}$|\bwith\s+(?:(?:the|these|two|three|following|key)\s*)*words?\W*$",
    _I,
)
_AVOID = re.compile(
    r"(?:\bnot\b(?! (?:forget|only))|n't\b(?! forget)|\bwithout\b|\bavoid\w*|\bnever\b|\bexclud\w*"
    r"|\brefrain\w*|\bomit\w*|\bno\b)[^.!?\n]*$",
    _I,
)
_AFTER_AVOID = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:cannot|can't|must not|mustn't|should not|shouldn't|may not"
    r"|are not|is not|are forbidden)\b",
    _I,
)
_AFTER_WANT = re.compile(
    r"\s*(?:should|must|has to|have to|needs? to|to|shall|will)?\s*(?:both\s+|all\s+)?"
    r"(?:appears?|be (?:used|included|mentioned)|shows? up|occurs?|is|are used)\b",
    _I,
)
_SENTENCE_END = re.compile(r"[.!?](?:[\"')\]]*)(?:\s|$)|\n")
_NOT_LISTS = re.compile(
    r"(?:count|limit|for word|in (?:all )?capital|with (?:all )?(?:the )?cap|long"
    r"|or (?:more|less|fewer))\b",
    _I,
)


# where the words stand at an edge, or are named for another reason
_ELSEWHERE = re.compile(
    r"\b(?:end|finish|conclude|start|begin)\w*\b"
    r"|\bone of (?:the (?:following|words|phrases)|these)\b|\bother words?\b|\bafter the\b|\bmean",
    _I,
)


_PHRASE = 6  # words of a phrase to use; what is longer is the text of a message
_FAR = 300  # characters of a sentence that are read on either side


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """The bounds of the sentence around text[start:end]."""
    ends = _SENTENCE_END.finditer(text, max(0, start - _FAR), start)
    first = max((m.end() for m in ends), default=0)
    last = next((m.start() + 1 for m in _SENTENCE_END.finditer(text, end)), len(text))
    return max(first, start - _FAR), min(last, end + _FAR)


def words(text: str) -> Iterator[Found]:
    """As in "include the words …", "avoid the keyword …", "use the word … at least twice"."""
    taken: list[range] = []
    for match in sorted((*_NAMED.finditer(text), *_DIRECT.finditer(text)), key=lambda m: m.end()):
        if any(match.end() in span for span in taken):
            continue
        bare = _may_be_bare(match) and not _NOT_LISTS.match(text, match.end())
        listed = quoted_list(text, match.end(), bare=bare)
        items = [item for item in listed.items if re.search(r"[^\W_]", item)]
        if max((len(item.split()) for item in items), default=0) > _PHRASE:
            continue
        if not items:
            continue
        made = list(_judged(text, match, items, listed.end))
        if made:
            taken.append(range(match.start(), listed.end + 1))
        yield from made


def _may_be_bare(match: re.Match[str]) -> bool:
    """Whether what follows is a list of words though none is quoted."""
    groups = match.groupdict()
    if groups.get("noun", "name").lower().startswith("name"):
        return bool(groups.get("pointed")) and match.string[match.end() : match.end() + 1].isupper()
    return bool(groups["pointed"] or groups["colon"] or groups["noun"].lower().startswith("key"))


def _judged(text: str, match: re.Match[str], items: list[str], end: int) -> Iterator[Found]:
    """What the sentence around a list of words says of them, if anything."""
    first, last = _sentence(text, match.start(), end)
    before = text[first : match.end()]
    evidence = text[max(first, match.start() - 60) : end].strip()
    if _ELSEWHERE.search(before[-60:]) or _mere_question(text[first : last + 1]):
        return
    often = _often(text, match.start(), end, last)
    if often:
        for item in items:
            said = text[match.start() : often.end]
            yield found("word_frequency", said, word=item, **often.bounds())
    elif _AFTER_AVOID.match(text, end) or _AVOID.search(before):
        yield found("forbid_words", evidence, words=items)
    elif _AFTER_WANT.match(text, end) or _WANT.search(before):
        yield found("include_words", evidence, words=items)


def _mere_question(sentence: str) -> bool:
    """Whether a sentence asks about words, and does not ask politely for them."""
    return sentence.rstrip().endswith("?") and not _POLITE.search(sentence)


_POLITE = re.compile(r"\b(?:please|(?:can|could|would|will) you|make sure)\b", _I)


def _often(text: str, start: int, end: int, last: int) -> Quantity | None:
    """The "at least twice" that follows a list, before another word or letter is named."""
    following = re.search(r"\b(?:the )?(?:key)?(?:word|letter|phrase)s?\b", text[end:last], _I)
    stop = end + following.start() if following else last
    return times(text, end, stop)


_LETTER = re.compile(
    r"\bletters?\s+[\"'(`]?(?P<letter>[A-Za-z])[\"')`]?(?![\w'])"
    r"|\b(?P<mark>exclamation|question) marks?\b|\b(?P<hash>hash ?tags?)\b|(?P<dash>\bhyphens?\b)",
    _I,
)
_MARKS = {"exclamation": "!", "question": "?"}
_JUST_BEFORE = re.compile(
    rf"(?:at least |no more than |at most |exactly |more than |less than |fewer than )?"
    rf"(?P<n>{NUMBER})(?P<more> or more)?\s*$",
    _I,
)


def letters(text: str) -> Iterator[Found]:
    """As in "the letter q should appear at least once", "6 or more exclamation marks"."""
    made: list[Found] = []
    for match in _LETTER.finditer(text):
        letter = match["letter"] or _MARKS.get((match["mark"] or "").lower())
        letter = letter or ("#" if match["hash"] else "-")
        first, last = _sentence(text, match.start(), match.end())
        before = text[first : match.start()]
        evidence = text[max(first, match.start() - 60) : last].strip()
        often = _often(text, match.start(), match.end(), last) or times(text, first, match.start())
        bounds = often.bounds() if often else _counted(before)
        if not bounds and match["letter"]:
            avoided = _AVOID.search(before) or _AFTER_AVOID.match(text, match.end())
            bounds = {"max": 0} if avoided else {}
        if bounds:
            made.append(found("letter_frequency", evidence, letter=letter.lower(), **bounds))
    wanted = {item.args["letter"] for item in made if item.args.get("min")}
    # "a man who avoids the letter t" is a story, where it must also appear
    yield from (i for i in made if i.args.get("max") != 0 or i.args["letter"] not in wanted)


def _counted(before: str) -> dict[str, int]:
    """The bounds of "at least 6" that a name of marks follows."""
    match = _JUST_BEFORE.search(before)
    if match is None:
        return {}
    n, low = number(match["n"]), match.group().lower()
    if "more" in low.split() and "than" in low and "no" not in low:
        return {"min": n + 1}
    if "no more" in low or "at most" in low:
        return {"max": n}
    if "less" in low or "fewer" in low:
        return {"max": n - 1}
    return {"min": n} if "exactly" not in low else {"min": n, "max": n}


RULES: list[Rule] = [words, letters]
