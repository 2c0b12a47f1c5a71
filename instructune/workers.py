"""Blocks of rows dealt to processes; outcomes, and what the blocks ask, in the blocks' order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, cast

from instructune.blocks import Block
from instructune.errors import Exit, UserError
from instructune.rowwork import Memory, Outcome, Remembered, RowWork

_FEW = 4  # blocks
_AHEAD = 4  # outcomes a worker that may wait for an earlier one


def count() -> int:
    """As many processes as this one may use processors."""
    if not hasattr(os, "fork"):
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def outcomes(
    blocks: Iterator[Block], work: RowWork, memory: Remembered, processes: int
) -> Iterator[Outcome]:
    """The outcome of each block in turn, the same whatever the number of processes.

    Input of a few blocks is not worth processes. Workers give back encoded records. They share
    what `work` has read, as they are forks of this process.
    """
    first = list(islice(blocks, _FEW)) if processes > 1 else []
    blocks = chain(first, blocks)
    if len(first) < _FEW:
        return (work(block, memory) for block in blocks)
    return _Pool(blocks, work, memory, processes).outcomes()


class _Question(NamedTuple):
    """What a worker asks of the memory."""

    part: int
    keys: Sequence[Any]


class _Pool:
    """Workers that have a block each; the parent reads, answers in order, and hands on."""

    def __init__(
        self, blocks: Iterator[Block], work: RowWork, memory: Remembered, processes: int
    ) -> None:
        self.blocks, self.work, self.memory, self.processes = blocks, work, memory, processes
        self.workers: dict[Connection, BaseProcess] = {}
        self.block_of: dict[Connection, int] = {}  # of a busy worker
        self.idle: list[Connection] = []
        self.ended: dict[int, Outcome | BaseException] = {}
        self.questions: dict[tuple[int, int], tuple[Connection, Sequence[Any]]] = {}
        self.turns = [0] * len(memory)  # the block that may ask next, by part of the memory
        self.dealt = 0

    def outcomes(self) -> Iterator[Outcome]:
        """The outcomes of all blocks in order; what went wrong with one is raised in its turn."""
        wanted = 0
        try:
            self._fork()
            self._deal(wanted)
            while wanted < self.dealt:
                while wanted not in self.ended:
                    self._listen()
                    self._deal(wanted)
                ended = self.ended.pop(wanted)
                if isinstance(ended, BaseException):
                    raise ended
                wanted += 1
                self._deal(wanted)
                yield ended
        finally:
            self._close()

    def _fork(self) -> None:
        context = multiprocessing.get_context("fork")
        for _ in range(self.processes):
            mine, its = context.Pipe()
            # a fork holds the ends of those before it, which would keep them from ever ending
            arguments = (its, [*self.workers, mine], self.work)
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            its.close()
            self.workers[mine] = process
            self.idle.append(mine)

    def _deal(self, wanted: int) -> None:
        """Give each idle worker a block, as long as not too many wait for the one wanted."""
        while self.idle and self.dealt < wanted + _AHEAD * self.processes:
            try:
                block = next(self.blocks, None)
            except Exception as error:  # in its turn: a block before may fail as well
                self.ended[self.dealt] = error
                self.blocks, block = iter(()), None
                self.dealt += 1
            if block is None:
                return
            worker = self.idle.pop()
            self._send(worker, block)
            self.block_of[worker] = self.dealt
            self.dealt += 1

    def _listen(self) -> None:
        """Take in what workers say, then answer those whose turn it is."""
        for ready in wait(list(self.block_of)):
            worker = cast(Connection, ready)
            try:
                said = worker.recv()
            except (EOFError, OSError):
                raise self._died(worker) from None
            if isinstance(said, _Question):
                self.questions[said.part, self.block_of[worker]] = worker, said.keys
            else:
                self.ended[self.block_of.pop(worker)] = said
                self.idle.append(worker)
        for part, turn in enumerate(self.turns):
            while found := self.questions.pop((part, turn), None):
                worker, keys = found
                self._send(worker, self.memory.ask(part, keys))
                self.turns[part] = turn = turn + 1

    def _send(self, worker: Connection, what: Any) -> None:
        try:
            worker.send(what)
        except OSError:
            raise self._died(worker) from None

    def _died(self, worker: Connection) -> UserError:
        process = self.workers[worker]
        process.join()
        return UserError(
            f"a worker process ended early (exit code {process.exitcode})",
            hint="if the machine ran out of memory, use --workers 1",
            code=Exit.OUT_OF_MEMORY,
        )

    def _close(self) -> None:
        for worker, process in self.workers.items():
            worker.close()
            process.terminate()
            process.join()


def _serve(connection: Connection, others: Sequence[Connection], work: RowWork) -> None:
    """A worker's life: a block in, its outcome back, until nobody is at the other end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle, which ends this
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    for other in others:
        other.close()
    with suppress(EOFError, ConnectionError):
        while True:
            connection.send(_outcome(connection.recv(), work, _Asking(connection)))


def _outcome(block: Block, work: RowWork, memory: Memory) -> Outcome | BaseException:
    try:
        outcome = work(block, memory)
    except UserError as error:
        return error
    except (EOFError, ConnectionError):  # the parent is gone
        raise
    except Exception:
        return RuntimeError(f"in a worker:\n{traceback.format_exc()}")
    outcome.encode()
    return outcome


class _Asking:
    """The parent's memory, asked through the pipe."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def ask(self, number: int, keys: Sequence[Any]) -> Any:
        """As in `Memory`."""
        self.connection.send(_Question(number, keys))
        return self.connection.recv()
