"""Events of a running step as progress on stderr: a live bar on a terminal, else plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from instructune.commands.options import say
from instructune.errors import visible

Event = dict[str, Any]
_EVERY = 5.0  # seconds between plain lines
_COUNTED = ("step", "rows", "part")  # events that come in numbers; the others are all shown


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[Event], None]]:
    """Yield a function that shows events as they come."""
    if quiet:
        yield lambda event: None
    elif sys.stderr is not None and sys.stderr.isatty():
        with _Bar() as bar:
            yield bar.show
    else:
        yield _Lines().show


class _Pace:
    """Steps done and tokens a second, from the events of this run alone."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.first, self.step, self.steps, self.tokens = 0, 0, 0, 0

    def take(self, event: Event) -> None:
        if event["event"] == "start":
            self.started = time.monotonic()
            self.first = self.step = event.get("step", 0)
            self.steps = event["resolved"]["steps"]
        elif event["event"] == "step":
            self.step, self.tokens = event["step"], self.tokens + event["tokens"]

    @property
    def at_an_end(self) -> bool:
        """Whether the step is the first of this run or the last of all."""
        return self.step in (self.first + 1, self.steps)

    @property
    def rate(self) -> float:
        return self.tokens / max(time.monotonic() - self.started, 1e-9)

    @property
    def left(self) -> str:
        done = self.step - self.first
        if not done:
            return "?"
        seconds = (time.monotonic() - self.started) / done * (self.steps - self.step)
        return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _told(event: Event, pace: _Pace) -> str:
    if event["event"] == "step":
        return (
            f"step {event['step']}/{pace.steps}  loss {event['loss']:.4f}  "
            f"{pace.rate:,.0f} tokens/s  left {pace.left}"
        )
    if event["event"] == "eval":
        best = "  (best)" if event["best"] else ""
        return f"step {event['step']}/{pace.steps}  eval loss {event['eval_loss']:.4f}{best}"
    if event["event"] == "rows":
        of = f"/{event['of']}" if event.get("of") else ""
        return f"{event['done']}{of} answers  {event['tokens_per_second']:,.0f} tokens/s"
    if event["event"] == "part":
        of = f" of {event['of']:,}" if event.get("of") else ""
        return f"{event['done']:,}{of} {event['what']}"
    return visible(event.get("text", ""))


class _Lines:
    """A line every few seconds, and every word that is not about steps."""

    def __init__(self) -> None:
        self.pace = _Pace()
        self.last: float | None = None

    def show(self, event: Event) -> None:
        self.pace.take(event)
        if event["event"] in _COUNTED and not self._is_due(event):
            return
        if text := _told(event, self.pace):
            say(text)

    def _is_due(self, event: Event) -> bool:
        """Whether it is time for a number; the time before the first of them does not count."""
        now = time.monotonic()
        if self.last is None:
            self.last = now
        if now - self.last < _EVERY and not (event["event"] == "step" and self.pace.at_an_end):
            return False
        self.last = now
        return True


class _Bar:
    """One live line that steps fill, with other words above it; gone when the step ends."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.pace = _Pace()
        self.console = Console(stderr=True)
        self.bar = Progress(
            BarColumn(bar_width=24),
            TextColumn("{task.description}", markup=False),
            console=self.console,
            transient=True,
        )
        self.task = self.bar.add_task("", total=None, visible=False)

    def __enter__(self) -> _Bar:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def show(self, event: Event) -> None:
        self.pace.take(event)
        text = _told(event, self.pace)
        if event["event"] in _COUNTED:
            self.bar.update(
                self.task,
                total=self.pace.steps or event.get("of"),
                completed=event.get("step", event.get("done")),
                description=text,
                visible=True,
            )
        elif text:
            self.console.print(text, markup=False, highlight=False)
