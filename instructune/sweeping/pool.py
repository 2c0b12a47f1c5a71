"""Worker processes as their parent sees them: jobs dealt, events heard, nobody left behind."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from instructune.sweeping.worker import Event, Job

_ROOT = str(Path(__file__).parents[2])
_START = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from importlib import import_module\n"
    "import_module(sys.argv[2]).main(int(sys.argv[3]))"
)
_BLOCK = 1 << 16


class Worker:
    """One process that does one job at a time."""

    def __init__(self, program: str) -> None:
        # of a session of its own: Ctrl-C is the parent's to hand on, once
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", _START, _ROOT, program, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._rest = b""
        self._is_ready = False

    def fileno(self) -> int:
        """Where it is heard."""
        assert self.process.stdout
        return self.process.stdout.fileno()

    def send(self, what: Job | Event) -> None:
        """Give it a job, or an answer; one that died is found out by listening."""
        assert self.process.stdin
        with suppress(BrokenPipeError):
            os.write(self.process.stdin.fileno(), json.dumps(what).encode() + b"\n")

    def hear(self) -> list[Event]:
        """What it said; an event "dead" with the exit status where it is no more."""
        block = os.read(self.fileno(), _BLOCK)
        if not block:
            return [{"event": "dead", "status": self.process.wait()}]
        *lines, self._rest = (self._rest + block).split(b"\n")
        events = [json.loads(line) for line in lines]
        self._is_ready = self._is_ready or bool(events)
        return [event for event in events if event["event"] != "ready"]

    def stop(self) -> None:
        """Ask it to end; one that still loads has nothing to save."""
        if self.process.stdin:
            self.process.stdin.close()
        if self._is_ready:
            self.process.terminate()
        else:
            self.process.kill()


class Pool:
    """Workers that run `program`, the name of a module whose `main` takes the parent's id."""

    def __init__(self, program: str, count: int) -> None:
        self._selector = selectors.DefaultSelector()
        self.workers: list[Worker] = []
        try:
            for _ in range(count):
                self.workers.append(Worker(program))
                self._selector.register(self.workers[-1], selectors.EVENT_READ)
        except BaseException:
            self.close()
            raise

    def listen(self) -> list[tuple[Worker, Event]]:
        """What workers say next, in their order."""
        found = []
        for key, _ in self._selector.select():
            worker: Worker = key.fileobj  # type: ignore[assignment]
            found += [(worker, event) for event in worker.hear()]
        return found

    def close(self) -> None:
        """End all workers; a job that runs may save what it has."""
        try:
            for worker in self.workers:
                worker.stop()
            for worker in self.workers:
                worker.process.wait()
        finally:  # also where another signal came meanwhile
            for worker in self.workers:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(worker.process.pid, signal.SIGKILL)
                worker.process.wait()
                if worker.process.stdout:
                    worker.process.stdout.close()
            self._selector.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
