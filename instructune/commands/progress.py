"""Events of a running step as progress on stderr: a live bar on a terminal, else plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from instructune.commands.options import say

Event = dict[str, Any]
_EVERY = 5.0  # seconds between plain lines


@contextmanager
def progress(quiet: bool = False) -> Iterator[Callable[[Event], None]]:
    """Yield a function that shows events as they come."""
    if quiet:
        yield lambda event: None
    elif sys.stderr.isatty():
        with _Bar() as bar:
            yield bar.show
    else:
        yield _Lines().show


class _Pace:
    """Steps done and units a second, from the events of this run alone."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.first, self.step, self.steps, self.units = 0, 0, 0, 0
        self.unit = "tokens"

    def take(self, event: Event) -> None:
        if event["event"] == "start":
            self.started = time.monotonic()
            self.first = self.step = event.get("step", 0)
            self.steps = event["resolved"]["steps"]
        elif event["event"] == "step":
            self.step, self.units = event["step"], self.units + event["tokens"]

    @property
    def rate(self) -> float:
        return self.units / max(time.monotonic() - self.started, 1e-9)

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
        return f"{event['done']} rows  {event['tokens_per_second']:,.0f} tokens/s"
    return event.get("text", "")


class _Lines:
    """A line every few seconds, and every word that is not about steps."""

    def __init__(self) -> None:
        self.pace, self.last = _Pace(), 0.0

    def show(self, event: Event) -> None:
        self.pace.take(event)
        if event["event"] == "start":
            return
        due = time.monotonic() - self.last >= _EVERY or event.get("step") == self.pace.steps
        if event["event"] in ("step", "rows") and not due:
            return
        if event["event"] in ("step", "rows"):
            self.last = time.monotonic()
        say(_told(event, self.pace))


class _Bar:
    """One live line that steps fill, with other words above it."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        self.pace = _Pace()
        self.console = Console(stderr=True)
        self.bar = Progress(
            BarColumn(bar_width=24), TextColumn("{task.description}"), console=self.console
        )
        self.task = self.bar.add_task("", total=None)

    def __enter__(self) -> _Bar:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bar.stop()

    def show(self, event: Event) -> None:
        self.pace.take(event)
        if event["event"] in ("step", "rows"):
            total = self.pace.steps or event.get("of")
            done = event.get("step", event.get("done"))
            self.bar.update(
                self.task, total=total, completed=done, description=_told(event, self.pace)
            )
        elif text := _told(event, self.pace):
            self.console.print(text, markup=False, highlight=False)
