"""A run's events to experiment trackers: each event once, however often the run is resumed."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

from instructune.errors import usage, visible
from instructune.extras import extra
from instructune.trackers import trackers
from instructune.trackers._memory import FOLDER

Event = dict[str, Any]
Notify = Callable[[Event], None]
_KINDS = ("step", "eval")  # in their order within a step


def check(names: Sequence[str], run_dir: Path) -> None:
    """Refuse unknown trackers, and those whose library is missing (69).

    Where a tracker is to write is set in the environment, unless the user has done so.
    """
    for name in names:
        if names.count(name) > 1:
            raise usage("is given twice", where=f"--track {name}")
        _, module, _ = trackers.configure(name)
        for variable, value in module.ENVIRONMENT.items():
            os.environ.setdefault(variable, value.replace("{run}", str(run_dir.absolute())))
        extra(module.LIBRARY, "track", f"--track {name}")


@contextmanager
def tracking(
    names: Sequence[str], run_dir: Path, document: dict[str, Any], notify: Notify
) -> Iterator[Notify]:
    """Yield a function that hands events to all trackers of the run.

    A tracker that fails is told of once and left out; the training goes on.
    """
    feeds: list[_Feed] = []

    def guarded(name: str, work: Callable[[], None]) -> None:
        try:
            with redirect_stdout(io.StringIO()):  # which is for data
                work()
        except Exception as error:
            feeds[:] = [feed for feed in feeds if feed.name != name]
            reason = visible(str(error).strip().partition("\n")[0]) or type(error).__name__
            told = f"--track {name} failed ({reason}); the training goes on without it"
            notify({"event": "note", "text": told})

    for name in names:
        guarded(name, lambda name=name: feeds.append(_Feed(name, run_dir, document)))  # type: ignore[misc]

    def send(event: Event) -> None:
        if event["event"] in _KINDS:
            for feed in list(feeds):
                guarded(feed.name, lambda feed=feed: feed.take(event))  # type: ignore[misc]

    try:
        yield send
    finally:
        for feed in list(feeds):
            guarded(feed.name, feed.close)


class _Feed:
    """A tracker, and a file that says which event it had last.

    A resumed run does the steps after its checkpoint again; what they log was sent before.
    """

    def __init__(self, name: str, run_dir: Path, document: dict[str, Any]) -> None:
        self.name = name
        self._tracker = trackers[name].Tracker(run_dir, document)
        path = run_dir / FOLDER / f"{name}.sent"
        path.parent.mkdir(exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._sent = (0, 0)
        with suppress(ValueError):  # a new file
            step, kind = os.read(self._file, 64).split()
            self._sent = int(step), int(kind)

    def take(self, event: Event) -> None:
        """Hand the event on, unless it was sent before."""
        place = (event["step"], _KINDS.index(event["event"]))
        if place <= self._sent:
            return
        self._tracker.log(event)
        self._sent = place
        os.pwrite(self._file, b"%019d %d\n" % place, 0)

    def close(self) -> None:
        """End the tracker's run."""
        os.close(self._file)
        self._tracker.close()
