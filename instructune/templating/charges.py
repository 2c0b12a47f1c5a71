"""What a template builds is charged to an account; a run that overdraws it is refused.

One call into C cannot be interrupted, so the functions here that could build much at once, or
compare for long, look at the sizes first.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable
from typing import Any

import jinja2
import jinja2.filters

MAX_TEXT = 8 << 20  # characters a template may write
MEMORY = 256 << 20  # bytes it may build in all, whether kept or not
_MAX_NEEDLE = 1000  # characters to strip or to search backwards: the time is a product
_MAX_WIDTH = 16  # of an indent or a separator in JSON

_account = threading.local()


class Overdrawn(Exception):
    """The template builds more than a prompt can be."""


def open_account() -> None:
    """Start a run of this thread with nothing spent."""
    _account.left = MEMORY


def spend(size: int) -> None:
    """Take `size` bytes off the account; raises Overdrawn."""
    _account.left -= size
    if _account.left < 0:
        raise Overdrawn


def charge(value: Any) -> Any:
    """Charge a new value, what it holds as often as it occurs in it, and hand it on."""
    if isinstance(value, str):
        spend(sys.getsizeof(value))
    elif isinstance(value, list | tuple | dict):
        stack = [value]
        while stack:
            item = stack.pop()
            spend(sys.getsizeof(item))
            if isinstance(item, dict):
                stack += item.keys()
                stack += item.values()
            elif isinstance(item, list | tuple):
                stack += item
    return value


def concat(pieces: Iterable[str]) -> str:
    """Join what a template or a macro writes."""
    kept, length = [], 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length > MAX_TEXT:
            raise Overdrawn
    return charge("".join(kept))


def short(function: Any, *args: Any, **options: Any) -> Any:
    """Call a method that compares each character with each of its argument."""
    if any(isinstance(x, str) and len(x) > _MAX_NEEDLE for x in (*args, *options.values())):
        raise Overdrawn
    return function(*args, **options)


def trim(value: Any, chars: str | None = None) -> str:
    """Jinja's filter."""
    return short(str(value).strip, chars)


def replace(value: Any, old: Any, new: Any, count: int | None = None) -> str:
    """Jinja's filter, and the method of texts."""
    text, old, new = str(value), str(old), str(new)
    spend(text.count(old) * len(new))
    return text.replace(old, new, -1 if count is None else count)


@jinja2.pass_environment
def join(environment: Any, value: Any, d: Any = "", attribute: Any = None) -> str:
    """Jinja's filter, and the method of texts."""
    if attribute is not None:
        value = map(jinja2.filters.make_attrgetter(environment, attribute), value)
    texts = [str(item) for item in value]
    spend(sum(map(len, texts)) + len(texts) * len(str(d)))
    return str(d).join(texts)


def indent(value: Any, width: Any = 4, first: bool = False, blank: bool = False) -> str:
    """Jinja's filter."""
    text = str(value)
    lines = len(text.splitlines()) + 1
    spend(lines * (width if isinstance(width, int) else len(width)))
    return jinja2.filters.do_indent(text, width, first, blank)


def tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """The filter as transformers has it: Jinja's own escapes for HTML."""
    widths = [indent if isinstance(indent, int) else len(indent or ""), *map(len, separators or ())]
    if max(widths) > _MAX_WIDTH:
        raise Overdrawn
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
