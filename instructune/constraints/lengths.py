"""English constraints on how long an answer is and how many parts it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints.found import Found, found
from instructune.constraints.quantities import NUMBER, Quantity, number, of_each, quantities

Rule = Callable[[str], Iterator[Found]]

_EXACT_WORDS = 20  # below it a bare number of words is meant exactly, above it about
_TOLERANCE = 0.1

_CAPITALS = re.compile(r"\s*(?:in|with|of)\s+(?:all\s+)?(?:the\s+)?(?:cap|upper)", re.IGNORECASE)
_ASKED = re.compile(
    r"(?:\b(?:in|using|use|with|of|contains?|containing|write|be|to|into|has|have)"
    r"(?:\s+(?:a|an|only|just|exactly))?|^|[.,:;(-])\s*$",
    re.IGNORECASE,
)
_STARS = re.compile(r"(?<![*\\])\*{3}(?!\*)|markdown divider|(?:3|three) ast?erisk", re.IGNORECASE)
_MARKER = re.compile(
    r"\b(?P<marker>[A-Z][A-Za-z]*)(?: |_)X\b"
    r"|\b(?P<numbered>[A-Z][a-z]+) 1\b.{1,20}?\b(?P=numbered) 2\b"
)
_PARTS = r"(?:(?:section|paragraph|part|scene|chapter|act|stanza|day|audience)s?|advert\w*)"


def _cut(text: str, quantity: Quantity) -> str:
    return text[quantity.start : quantity.end]


def _asked(text: str, quantity: Quantity) -> bool:
    """Whether a bare number asks for something: "in two paragraphs", "a two-paragraph note"."""
    if quantity.relation != "plain" or "-" in _cut(text, quantity):
        return True
    return bool(_ASKED.search(text[: quantity.start]))


def words(text: str) -> Iterator[Found]:
    """As in "at most 50 words"; a bare "300 words" means about that many."""
    for quantity in quantities(text, r"words?", adjectives=0):
        cut = _cut(text, quantity)
        capitals = "cap" in cut.lower() or _CAPITALS.match(text, quantity.end)
        each = any(of_each(text, quantity, part) for part in ("sentence", "line"))
        if capitals or each or not _asked(text, quantity):
            continue
        if quantity.relation == "plain" and quantity.max == 2:  # "in two words" is an idiom
            continue
        bounds = quantity.bounds()
        n = bounds.get("min", 0)
        if quantity.relation == "about" or (quantity.relation == "plain" and n >= _EXACT_WORDS):
            bounds = {"min": round(n * (1 - _TOLERANCE)), "max": round(n * (1 + _TOLERANCE))}
        for name, bound in bounds.items():
            yield found(f"{name}_words", cut, n=bound)


def characters(text: str) -> Iterator[Found]:
    """As in "under 280 characters", spaces and marks included."""
    for quantity in quantities(text, r"characters?", adjectives=0):
        if quantity.relation == "plain" or quantity.relation == "exact":
            continue  # more often the persons of a story
        for name, n in quantity.bounds().items():
            yield found(f"{name}_chars", _cut(text, quantity), n=n)


def sentences(text: str) -> Iterator[Found]:
    """As in "in two sentences", "at least 5 sentences"."""
    for quantity in quantities(text, r"sentences?"):
        if _asked(text, quantity):
            yield found("sentences", _cut(text, quantity), **quantity.bounds())


_EACH_LINE = re.compile(r"\b(?:per|a|each|every|to a) lines?$", re.IGNORECASE)


def lines(text: str) -> Iterator[Found]:
    """As in "in four lines", "fit in a single line"."""
    for quantity in quantities(text, r"lines?"):
        each = _EACH_LINE.search(text[quantity.start : quantity.end])  # "one per line"
        if not each and _asked(text, quantity):
            yield found("lines", _cut(text, quantity), **quantity.bounds())


def paragraphs(text: str) -> Iterator[Found]:
    """As in "two paragraphs"; parted by *** where the prompt shows that."""
    stars, marker = _STARS.search(text), _MARKER.search(text)
    unit = r"(?:paragraphs?|stanzas?|parts?|sections?)" if stars else r"paragraphs?"
    separator = {"separator": "stars"} if stars else {}
    for quantity in quantities(text, unit):
        cut = _cut(text, quantity).lower()
        highlighted = _HIGHLIGHT.search(text[max(0, quantity.start - 40) : quantity.end])
        if (highlighted and "paragraph" not in cut) or not _asked(text, quantity):
            continue
        if marker and (marker["marker"] or marker["numbered"]).lower() in cut:
            continue
        yield found("paragraphs", cut, **quantity.bounds(), **separator)
        return
    if stars and (shown := re.search(r"\n\*\*\*\n", text)):
        count = len(re.findall(r"(?:^|\n)\*\*\*(?=\n|$)", text)) + 1
        yield found("paragraphs", shown.group(), min=count, max=count, **separator)
    elif stars and re.search(r"separat|divid", text, re.IGNORECASE):
        yield found("paragraphs", stars.group(), min=2, max=2, **separator)


_BULLETS = re.compile(
    r"\b(?:in|into|as|using|use|with)\s+(?:a\s+)?(?:markdown\s+)?"
    r"(?:(?:short|concise|brief|clear)\s+)?"
    r"(?:bullet(?:ed)?[- ]?(?:points?|list|form)|bullets)\b(?! \d)",
    re.IGNORECASE,
)


def bullet_points(text: str) -> Iterator[Found]:
    """As in "in three bullet points"; "as bullet points" wants at least one."""
    unit = r"(?:markdown\s+)?bullet(?:ed)?[ -]?(?:points?|lists?|items?)?s?"
    counted = False
    for quantity in quantities(text, unit, adjectives=3):
        counted = True
        yield found("bullet_points", _cut(text, quantity), **quantity.bounds())
    if not counted and (match := _BULLETS.search(text)):
        yield found("bullet_points", match.group(), min=1)


def placeholders(text: str) -> Iterator[Found]:
    """As in "at least three placeholders, such as [name]"."""
    for quantity in quantities(text, r"placeholders?"):
        yield found("placeholders", _cut(text, quantity), **quantity.bounds(plain="min"))
        return
    if match := re.search(r"\ba placeholder\b", text, re.IGNORECASE):
        yield found("placeholders", match.group(), min=1)


def citations(text: str) -> Iterator[Found]:
    """As in "at least two citations"."""
    for quantity in quantities(text, r"(?:citations?|references)"):
        if _asked(text, quantity):
            yield found("citations", _cut(text, quantity), **quantity.bounds(plain="min"))


def sections(text: str) -> Iterator[Found]:
    """As in "4 sections marked with SECTION X": the marker comes from the prompt."""
    marker = _MARKER.search(text)
    if not marker:
        return
    name = marker["marker"] or marker["numbered"]
    parts = rf"(?:{_PARTS}|{re.escape(name)}s?)"
    counted = [q for q in quantities(text, parts) if not _is_span(text, q)]
    stated = [q for q in counted if "section" in _cut(text, q).lower()] or counted
    if stated:
        least = stated[0].min or stated[0].max or 1
        evidence = f"{_cut(text, stated[0])} … {marker.group()}"
        yield found("sections", evidence, marker=name, min=least)
    elif marker["numbered"]:
        yield found("sections", marker.group(), marker=name, min=2)


def _is_span(text: str, quantity: Quantity) -> bool:
    """Whether it is the length of something else: "a 7 day trip"."""
    return bool(re.match(r"\s+(?:trip|tour|itinerary|visit)", text[quantity.end :]))


_HIGHLIGHT = re.compile(r"highlight|italic|\bbold", re.IGNORECASE)
_MARKDOWN = re.compile(r"markdown|asterisk|\*|\bsections?\b|\btext\b|keyword", re.IGNORECASE)
_OTHER_UNITS = re.compile(
    rf"\b{NUMBER}\s+(?:(?:short|full|different)\s+)?"
    r"(?:sentences?|paragraphs?|words?|bullet|times|placeholders?|ast?erisk)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(rf"\b(?P<n>{NUMBER})\b", re.IGNORECASE)
_EXAMPLE = re.compile(
    r",?\s*(?:for example|such as|i\.?e|e\.g|example|like(?= [*\"'(]| this|:))\b.*",
    re.IGNORECASE | re.DOTALL,
)


def highlights(text: str) -> Iterator[Found]:
    """As in "highlight at least 3 sections with markdown": so many or more."""
    for sentence in re.split(r"(?<=[.!?\n])\s+(?=[A-Z\n])", text):
        if not _HIGHLIGHT.search(sentence) or not _MARKDOWN.search(text):
            continue
        clause = _EXAMPLE.sub("", sentence)
        if count := _COUNTED.search(_OTHER_UNITS.sub(" ", clause)):
            yield found("highlights", clause, min=number(count["n"]))
            return


RULES: list[Rule] = [
    words,
    characters,
    sentences,
    lines,
    paragraphs,
    bullet_points,
    placeholders,
    citations,
    sections,
    highlights,
]
