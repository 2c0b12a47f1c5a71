"""Chat messages in, the text a model was trained on out.

What looks like a control token in a row is the row's words, not the template's: such strings
are hidden from the template behind placeholders and marked in what it writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from instructune.errors import Exit, UserError, did_you_mean
from instructune.files import open_input
from instructune.jsonl import loads
from instructune.lineage import fingerprint
from instructune.records import Message
from instructune.templating.sandbox import Program

BUILT_IN = Path(__file__).parents[1] / "chat_templates"
FALLBACK = "alpaca"  # for models that bring none: needs no special token but the end of text

# A row's own \ue000 gets a placeholder like a control string does: what is found in the
# template's text is ours.
_OPEN = "\ue000"
_PLACEHOLDER = re.compile("\ue000(\\d+)\ue001")
_ESCAPED = re.compile(r"\\ue000\d+\\ue001")  # by a template that writes JSON in ASCII
_REASONING = ("reasoning_content", "thinking", "reasoning")


class Rendered(NamedTuple):
    """Rendered text, and the spans of it that look like control tokens but are a row's words."""

    text: str
    literal: tuple[tuple[int, int], ...] = ()


class ChatTemplate:
    """A compiled chat template with the special tokens it may name."""

    def __init__(self, source: str, tokens: dict[str, str], control: Sequence[str] = ()) -> None:
        """`tokens` maps bos_token, eos_token, … to texts; `control` lists all special tokens."""
        self.source, self.tokens = source, tokens
        self._program = Program(source)
        longest_first = sorted({*filter(None, control), _OPEN}, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, longest_first)))

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the source and the special tokens: equal prompts have equal ones."""
        return fingerprint({"source": self.source, "tokens": self.tokens})

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: list[dict[str, Any]] | None = None,
        add_generation_prompt: bool = False,
    ) -> Rendered:
        """The text of `messages`; raises UserError with the template's own complaint."""
        found: list[str] = []
        text = self._program.run(
            messages=[
                self._hidden(_usual(message), found) | {"role": message["role"]}
                for message in messages
            ],
            tools=self._hidden(tools, found) if tools else None,
            documents=None,
            add_generation_prompt=add_generation_prompt,
            **self.tokens,
        )
        return _shown(text, found) if found else Rendered(text)

    def literal(self, text: str) -> Rendered:
        """Plain text as it is: what looks like a control token in it is none."""
        return Rendered(text, tuple(match.span() for match in self._control.finditer(text)))

    def _hidden(self, value: Any, found: list[str]) -> Any:
        """A copy of `value` with placeholders in its texts; `found` takes what they stand for."""
        if isinstance(value, str):

            def hide(match: re.Match[str]) -> str:
                found.append(match[0])
                return f"{_OPEN}{len(found) - 1}\ue001"

            return self._control.sub(hide, value)
        if isinstance(value, dict):
            copy = {self._hidden(k, found): self._hidden(v, found) for k, v in value.items()}
            if isinstance(value, _Arguments):
                return _Arguments(copy, self._hidden(str(value), found))
            return copy
        if isinstance(value, list):
            return [self._hidden(item, found) for item in value]
        return value


def _usual(message: Message) -> Message:
    """A turn as templates expect it: arguments as objects, reasoning by its usual names."""
    if calls := message.get("tool_calls"):
        message = message | {"tool_calls": [_as_object(call) for call in calls]}
    if thoughts := next((message[key] for key in _REASONING if message.get(key)), None):
        message = {"thinking": thoughts} | message | {"reasoning_content": thoughts}
    return message


def _as_object(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    given = function.get("arguments")
    if isinstance(given, str):
        try:
            arguments = loads(given)
        except ValueError:
            return call
    else:
        arguments, given = given, json.dumps(given, ensure_ascii=False)
    if not isinstance(arguments, dict):
        return call
    return call | {"function": function | {"arguments": _Arguments(arguments, given)}}


class _Arguments(dict[str, Any]):
    """Arguments of a call: an object, and where a template writes it out or joins it to a text,
    JSON; most templates want the one, DeepSeek's the other."""

    def __init__(self, arguments: dict[str, Any], text: str) -> None:
        super().__init__(arguments)
        self._text = text

    def __str__(self) -> str:
        return self._text

    def __add__(self, other: str) -> str:
        return self._text + other

    def __radd__(self, other: str) -> str:
        return other + self._text


def _shown(text: str, found: list[str]) -> Rendered:
    """Put back what the placeholders stand for, and say where."""
    pieces: list[str] = []
    literal: list[tuple[int, int]] = []
    length = position = 0
    for match in _PLACEHOLDER.finditer(text):
        if int(match[1]) >= len(found):
            continue
        own, theirs = text[position : match.start()], found[int(match[1])]
        pieces += own, theirs
        literal.append((length + len(own), length + len(own) + len(theirs)))
        length, position = literal[-1][1], match.end()
    pieces.append(text[position:])
    if any(_OPEN in piece or _ESCAPED.search(piece) for piece in pieces[::2]):
        raise UserError(
            "the chat template takes a message apart inside a string that looks like a control "
            f"token ({', '.join(map(repr, sorted(set(found))))})",
        )
    return Rendered("".join(pieces), tuple(literal))


def open_template(name: str) -> str:
    """The source of a built-in template or of a file."""
    if name in built_in():
        return (BUILT_IN / f"{name}.jinja").read_text(encoding="utf-8")
    if "/" not in name and not Path(name).exists():
        raise UserError(
            f"unknown template {name!r}",
            where="--template",
            hint=f"name a file, or {did_you_mean(name, built_in())}",
            code=Exit.NO_INPUT,
        )
    with open_input(name) as source:
        data = source.stream.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"not UTF-8 ({error.reason})", where=name) from None


def built_in() -> list[str]:
    """The names of the templates that come with instructune."""
    return sorted(path.stem for path in BUILT_IN.glob("*.jinja"))
