"""Chat messages in, the text a model was trained on out: Jinja in a sandbox with limits.

A chat template is a program that comes with a model, so it is hostile by default: it runs in
Jinja's immutable sandbox, for at most a second, and may not build large texts.
"""

from __future__ import annotations

import datetime
import json
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

from instructune.errors import Exit, UserError, did_you_mean
from instructune.lineage import fingerprint
from instructune.records import Message

SECONDS = 1.0
MAX_TEXT = 8 << 20  # characters a template may produce
BUILT_IN = Path(__file__).parent / "chat_templates"
FALLBACK = "alpaca"  # for models that bring none: needs no special token but the end of text

# A template that prints today's date would train and answer with different prompts.
_DATE = datetime.date(2024, 7, 26)


class Rendered(NamedTuple):
    """Rendered text, and the spans of it that look like control tokens but are a row's words."""

    text: str
    literal: tuple[tuple[int, int], ...] = ()


class ChatTemplate:
    """A compiled chat template with the special tokens it may name."""

    def __init__(self, source: str, tokens: dict[str, str], control: Sequence[str] = ()) -> None:
        """`tokens` maps bos_token, eos_token, … to texts; `control` lists all special tokens."""
        self.source, self.tokens = source, tokens
        self._control = sorted((t for t in control if t), key=len, reverse=True)
        try:
            self._template = _sandbox().from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise UserError(
                f"chat template line {error.lineno}: {error.message}", code=Exit.MISMATCH
            ) from None

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
        hidden = [_hide(message, self._control, found) for message in messages]
        with _naming_failures(), _time_limit(SECONDS):
            pieces, length = [], 0
            for piece in self._template.generate(
                messages=hidden,
                tools=tools or None,
                documents=None,
                add_generation_prompt=add_generation_prompt,
                **self.tokens,
            ):
                pieces.append(piece)
                length += len(piece)
                if length > MAX_TEXT:
                    raise _TooMuch
        return _show("".join(pieces), found)


    def literal(self, text: str) -> Rendered:
        """Plain text as it is: what looks like a control token in it is none."""
        found: list[str] = []
        return _show(_masked(text, self._control, found), found)


def _masked(text: str, control: Sequence[str], found: list[str]) -> str:
    for token in control:
        while token in text:
            found.append(token)
            text = text.replace(token, f"\ue000{len(found) - 1}\ue001", 1)
    return text


def _hide(message: Message, control: Sequence[str], found: list[str]) -> Message:
    """Arguments of calls as objects, as templates expect; control strings behind placeholders."""
    if message.get("tool_calls"):
        message = message | {"tool_calls": [_as_object(call) for call in message["tool_calls"]]}
    for key in ("content", "reasoning_content"):
        text = message.get(key)
        if text and (masked := _masked(text, control, found)) != text:
            message = message | {key: masked}
    return message


def _as_object(call: dict[str, Any]) -> dict[str, Any]:
    arguments = call["function"].get("arguments")
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return call
        return call | {"function": call["function"] | {"arguments": arguments}}
    return call


def _show(text: str, found: list[str]) -> Rendered:
    literal = []
    for i, token in enumerate(found):
        placeholder = f"\ue000{i}\ue001"
        while (at := text.find(placeholder)) >= 0:
            shift = len(token) - len(placeholder)
            literal = [(a + shift, b + shift) if a > at else (a, b) for a, b in literal]
            literal.append((at, at + len(token)))
            text = text[:at] + token + text[at + len(placeholder) :]
    return Rendered(text, tuple(sorted(literal)))


def open_template(name: str) -> str:
    """The source of a built-in template or of a file."""
    path = BUILT_IN / f"{name}.jinja"
    if name in built_in():
        return path.read_text(encoding="utf-8")
    from instructune.files import open_input

    if "/" in name or Path(name).exists():
        with open_input(name) as source:
            return source.stream.read().decode("utf-8")
    raise UserError(
        f"unknown template {name!r}",
        where="--template",
        hint=did_you_mean(name, built_in()) + ", or name a file",
        code=Exit.NO_INPUT,
    )


def built_in() -> list[str]:
    """The names of the templates that come with instructune."""
    return sorted(path.stem for path in BUILT_IN.glob("*.jinja"))


class _Generation(jinja2.ext.Extension):
    """`{% generation %}` marks answers for other trainers; here its body is rendered as is."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.Scope(body).set_lineno(line)


class _Sandbox(jinja2.sandbox.ImmutableSandboxedEnvironment):
    """Jinja's sandbox, where arithmetic on texts cannot fill the memory."""

    intercepted_binops = frozenset(["*", "**", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        sizes = [len(x) for x in (left, right) if isinstance(x, str | list | tuple)]
        numbers = [abs(x) for x in (left, right) if isinstance(x, int)]
        if operator == "*" and sizes and numbers and sizes[0] * numbers[0] > MAX_TEXT:
            raise _TooMuch
        if operator == "**" and (max(numbers, default=0) > 1000 or sizes):
            raise _TooMuch
        if operator == "%" and isinstance(left, str):
            raise jinja2.sandbox.SecurityError("% formatting")
        return super().call_binop(context, operator, left, right)


class _TooMuch(Exception):
    """The template built more text than a prompt can be."""


def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, "jinja2.ext.loopcontrols"]
    )
    for name in ("center", "format", "indent", "wordwrap", "pprint", "xmlattr"):
        sandbox.filters[name] = _bounded(sandbox.filters[name])
    sandbox.filters["tojson"] = _tojson
    sandbox.globals |= {
        "raise_exception": _complain,
        "strftime_now": _DATE.strftime,
        "range": jinja2.sandbox.safe_range,
    }
    return sandbox


def _bounded(function: Any) -> Any:
    if hasattr(function, "jinja_pass_arg"):
        return function

    def bounded(value: Any, *args: Any, **options: Any) -> Any:
        if any(isinstance(x, int) and x > 1000 for x in (*args, *options.values())):
            raise _TooMuch
        return function(value, *args, **options)

    return bounded


def _tojson(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    # not Jinja's own filter: that one escapes for HTML
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


class _Complaint(Exception):
    """What the template said with raise_exception."""


def _complain(message: str) -> NoReturn:
    raise _Complaint(message)


class _TooSlow(Exception):
    """The template ran out of time."""


@contextmanager
def _naming_failures() -> Iterator[None]:
    try:
        yield
    except _Complaint as error:
        raise UserError(f"the chat template refuses it: {error}") from None
    except _TooMuch:
        raise UserError(
            f"the chat template builds more than {MAX_TEXT} characters", code=Exit.MISMATCH
        ) from None
    except _TooSlow:
        raise UserError(
            f"the chat template ran for more than {SECONDS:g} s", code=Exit.MISMATCH
        ) from None
    except (jinja2.TemplateError, TypeError, ValueError, KeyError, OverflowError) as error:
        raise UserError(f"the chat template failed: {error}", code=Exit.MISMATCH) from None
    except RecursionError:
        raise UserError("the chat template recurses without end", code=Exit.MISMATCH) from None


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block by an alarm; only the main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: Any) -> NoReturn:
        raise _TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
