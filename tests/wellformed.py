"""A parser that refuses pages whose elements do not nest, or that load or run something."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from typing import Any

from instructune.reports.pages import Html, joined, page

_LOADING = {"script", "link", "img", "iframe", "object", "embed", "base", "form", "audio", "video"}
_ADDRESSES = {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href"}


class _Checker(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.seen.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag != "html":
            assert self.open.pop() == tag


def elements(page: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The elements of a page that is as it should be, and their attributes."""
    checker = _Checker()
    checker.feed(page.decode())
    checker.close()
    assert checker.open == ["html"]
    for tag, attributes in checker.seen:
        assert tag not in _LOADING
        assert not _ADDRESSES & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert "url(" not in (attributes.get("style") or "")
    return checker.seen


def cells(parts: Iterable[Html]) -> list[list[list[str]]]:
    """The tables of some parts as lists of texts; a drawing is empty."""
    made = joined(parts)
    elements(page("t", [made]))
    return [
        [
            [unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall("<t[hd].*?</t[hd]>", row)]
            for row in re.findall("<tr>.*?</tr>", table, re.DOTALL)
        ]
        for table in re.findall("<table.*?</table>", made, re.DOTALL)
    ]
