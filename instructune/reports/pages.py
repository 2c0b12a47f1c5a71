"""A whole document in one file: elements with all text escaped, tables, and one style for all."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from instructune.errors import visible
from instructune.reports.style import STYLE

# nothing may be loaded or run, whatever should get past the escaping
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_VOID = frozenset(["meta", "br", "circle", "line", "path", "rect"])


class Html(str):
    """Markup. Any other string is text, and is escaped where it meets markup."""

    __slots__ = ()


def text(value: object) -> Html:
    """Text as markup; what reorders lines or drives terminals is spelt out."""
    return value if isinstance(value, Html) else Html(escape(visible(str(value))))


def joined(parts: Iterable[object], between: str = "") -> Html:
    """Parts one after the other."""
    return Html(between.join(map(text, parts)))


def element(tag: str, *children: object, **attributes: object) -> Html:
    """`<tag name="value">children</tag>`; None leaves an attribute out, `class_` is `class`."""
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _VOID:
        return Html(f"<{tag}{named}/>")
    return Html(f"<{tag}{named}>{joined(children)}</{tag}>")


def page(title: str, parts: Iterable[Html]) -> bytes:
    """A whole document of parts made by the functions of this package."""
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=Html(_POLICY)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(STYLE)),
    ]
    body = joined([element("h1", title), *parts], "\n")
    return f'<!doctype html>\n<html lang="en">\n{joined(head)}\n{body}\n</html>\n'.encode()


def heading(title: str) -> Html:
    """A section's title."""
    return element("h2", title)


def note(line: object) -> Html:
    """A line of explanation."""
    return element("p", line, class_="note")


def folded(title: str, *parts: Html, opened: bool = False) -> Html:
    """Parts under a title that shows and hides them when it is clicked on."""
    return element("details", element("summary", title), *parts, open="" if opened else None)


def table(rows: Sequence[Mapping[str, Any]], *, right: Container[str] = (), name: str = "") -> Html:
    """Rows as a table with the keys of the first as its head.

    Numbers stand to the right, and columns named by `right`. A table of the class `name` "cards"
    is a card a row where the screen is narrow, one of the class "slim" goes without its drawings.
    """
    if not rows:
        return note("none")
    keys = list(rows[0])
    kinds = {key: _kind(rows[0][key], key in right) for key in keys}
    head = element("tr", *(element("th", key, class_=kinds[key]) for key in keys))
    lines = [
        element(
            "tr",
            *(
                _cell(row.get(key, ""), key in right, key if name == "cards" else "")
                for key in keys
            ),
        )
        for row in rows
    ]
    body = element("table", joined([head, *lines], "\n"), class_=name or None)
    return element("div", body, class_="wide")


def _cell(value: object, right: bool, label: str) -> Html:
    shown = f"{value:,}" if isinstance(value, int) else value
    return element("td", shown, class_=_kind(value, right), data_label=label or None)


def _kind(value: object, right: bool) -> str | None:
    if isinstance(value, Html) and value.startswith("<svg"):
        return "drawn"
    return "number" if right or isinstance(value, int | float) else None
