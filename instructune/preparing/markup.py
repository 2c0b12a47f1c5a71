"""HTML as plain text: what is shown, in lines, with code blocks kept as they are."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

_BLOCKS = frozenset(
    ["address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl"]
    + ["dt", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "hr"]
    + ["header", "li", "main", "nav", "ol", "p", "pre", "section", "summary"]
    + ["table", "tbody", "tfoot", "thead", "tr", "ul"]
)
_FRAME = frozenset(["html", "head", "body"])  # the parser makes them where there are none
_APART = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "ul"])
_INLINE = frozenset(
    ["a", "abbr", "b", "bdi", "bdo", "big", "br", "cite", "code", "del", "dfn", "em", "font", "i"]
    + ["img", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span", "strike", "strong"]
    + ["sub", "sup", "td", "th", "time", "tt", "u", "var", "wbr", "caption", "col", "colgroup"]
)
_UNSEEN = frozenset(
    ["script", "style", "head", "template", "noscript", "iframe", "svg", "title", "link", "meta"]
)
_VOID = frozenset(["br", "hr", "img", "wbr", "col", "link", "meta"])

_NAMES = "|".join(sorted(_BLOCKS | _INLINE | _UNSEEN | _FRAME, key=len, reverse=True))
_VALUE = r"\"[^\"<>]{0,5000}\"|'[^'<>]{0,5000}'|[^\s\"'<>=`]{1,500}"
_TAG = re.compile(
    rf"<(?:(/)?({_NAMES})(?:\s{{1,9}}[A-Za-z_:@][\w:.-]{{0,50}}\s?=\s?(?:{_VALUE})){{0,40}}\s{{0,9}}/?"
    r"|!(?i:doctype)\s[^<>]{0,300}|!--.{0,20000}?--)>",
    re.I | re.S,
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CODE = re.compile(r"(```+|~~~+).*?(?:\1|\Z)|(?<!`)`[^`\n]+`(?!`)", re.S)
_MOST_TAGS = 10_000  # nested deeper, the parser takes a minute a row


def html_to_text(text: str, parser: Any, *, entities: bool = True) -> str:
    """`text` without its markup; the same text where there is none.

    Markup is a known tag that is closed again, or stands alone as `<br>` does. Fenced code and
    code in back-ticks stay, as does every other `<`, `>` and `&`.
    """
    if "<" not in text and (not entities or "&" not in text):
        return text
    parts, at = [], 0
    for code in _CODE.finditer(text):
        parts += [text[at : code.start()], code[0]]
        at = code.end()
    parts.append(text[at:])
    prose = "".join(parts[::2])
    tags = [(found[2].lower(), bool(found[1])) for found in _TAG.finditer(prose) if found[2]]
    if _is_markup(tags) and len(tags) < _MOST_TAGS:
        blocks = any(name in _BLOCKS or name in _FRAME for name, _ in tags)
        lead = "" if blocks else text[: len(text) - len(text.lstrip())]  # a parser drops it
        return lead + _shown(_hide_code(parts), parser, collapse=blocks, codes=parts[1::2])
    if entities:
        parts[::2] = [_ENTITY.sub(lambda found: unescape(found[0]), part) for part in parts[::2]]
    return "".join(parts)


def _is_markup(tags: list[tuple[str, bool]]) -> bool:
    opened: set[str] = set()
    for name, closes in tags:
        if name in _VOID or (closes and name in opened):
            return True
        if not closes:
            opened.add(name)
    return False


_HIDDEN = "\U000f8000"  # stands for a piece of code while the rest is parsed


def _hide_code(parts: list[str]) -> str:
    """The prose as HTML, with what is not a tag escaped and each piece of code a sign."""
    return _HIDDEN.join(_escaped(part) for part in parts[::2])


def _escaped(text: str) -> str:
    made, at = [], 0
    for tag in _TAG.finditer(text):
        made += [text[at : tag.start()].replace("<", "&lt;"), tag[0]]
        at = tag.end()
    return "".join(made) + text[at:].replace("<", "&lt;")


def _shown(html: str, parser: Any, *, collapse: bool, codes: list[str]) -> str:
    """Walk the tree with a stack of its own: hostile markup nests deeper than Python may."""
    out = _Lines(collapse)
    node, leaving = parser(html).root, False
    end = node
    while node is not None:
        if not leaving:
            out.enter(node)
            if node.tag not in _UNSEEN and node.child is not None:
                node = node.child
                continue
        out.leave(node)
        if node == end:
            break
        if node.next is not None:
            node, leaving = node.next, False
        else:
            node, leaving = node.parent, True
    pieces = iter(codes)
    return re.sub(_HIDDEN, lambda _: next(pieces, ""), out.text())


class _Lines:
    """Text as it is shown, growing."""

    def __init__(self, collapse: bool) -> None:
        self.parts: list[str] = []
        self.collapse, self.verbatim = collapse, 0
        self.lists: list[int] = []

    def enter(self, node: Any) -> None:
        name = node.tag
        if name == "-text":
            self._say(node.text_content or "")
        elif name == "br":
            self.parts.append("\n")
        elif name == "img":
            self._say(node.attributes.get("alt") or "")
        elif name in _BLOCKS:
            self._line(2 if name in _APART else 1)
            if name == "pre":
                self.verbatim += 1
                self.parts.append("```\n")
            elif name in ("ul", "ol"):
                self.lists.append(0 if name == "ul" else 1)
            elif name == "li":
                self._item()
        elif name in ("td", "th") and node.prev is not None:
            self.parts.append(" | ")
        elif name == "code" and not self.verbatim:
            self.parts.append("`")

    def leave(self, node: Any) -> None:
        name = node.tag
        if name == "pre":
            self.verbatim -= 1
            self._line(1)
            self.parts.append("```")
        elif name in ("ul", "ol") and self.lists:
            self.lists.pop()
        elif name == "code" and not self.verbatim:
            self.parts.append("`")
        if name in _BLOCKS:
            self._line(2 if name in _APART else 1)

    def _item(self) -> None:
        number = self.lists[-1] if self.lists else 0
        self.parts.append(f"{'  ' * (len(self.lists) - 1)}{f'{number}.' if number else '-'} ")
        if number:
            self.lists[-1] += 1

    def _say(self, text: str) -> None:
        if self.collapse and not self.verbatim:
            text = re.sub(r"[ \t\n\r\f]+", " ", text)
            last = next((part[-1] for part in reversed(self.parts) if part), "\n")
            if last in " \n":
                text = text.lstrip(" ")
        self.parts.append(text)

    def _line(self, ends: int) -> None:
        """See to it that the next thing stands on a new line, after a blank one if `ends` is 2."""
        while self.parts and self.parts[-1].strip(" ") == "" and self.parts[-1]:
            self.parts.pop()
        have, i = 0, len(self.parts)
        while i and have < ends:
            i -= 1
            part = self.parts[i]
            have += len(part) - len(part.rstrip("\n"))
            if part.strip("\n"):
                break
        if self.parts:
            self.parts.append("\n" * max(0, ends - have))

    def text(self) -> str:
        """All of it, without the lines before and after."""
        text = "".join(self.parts)
        return re.sub(r"[ \t]+\n", "\n", text).strip() if self.collapse else text
