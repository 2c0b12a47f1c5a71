"""Blocks of rows dealt to processes; outcomes, and what the blocks ask, in the blocks' order."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from threading import Thread
from typing import Any, cast

from instructune.errors import Exit, UserError
from instructune.reading.blocks import Block
from instructune.reading.rowwork import Outcome, Remembered, RowWork
from instructune.reading.steps import Question

_FEW = 4  # blocks
_AHEAD = 4  # outcomes a worker that may wait for an earlier one
_IN_HAND = 3  # blocks of a worker: some to work on while answers to others are on their way


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
    first: list[Block] = []
    if processes > 1:
        try:
            for block in islice(blocks, _FEW):
                first.append(block)  # noqa: PERF402 - kept where the next one fails
        except Exception as error:  # in its turn: the work on a block before may fail as well
            blocks = _raising(error)
    blocks = chain(first, blocks)
    if len(first) < _FEW:
        return (_done(work(block), memory) for block in blocks)
    return _Pool(blocks, work, memory, processes).outcomes()


def _raising(error: Exception) -> Iterator[Block]:
    raise error
    yield


Work = Generator[Question, Any, Outcome]
Said = Question | Outcome | BaseException


def _done(work: Work, memory: Remembered) -> Outcome:
    """Work that is done here."""
    answer = None
    while True:
        try:
            question = work.send(answer)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        answer = memory.answer(question)


class _Pool:
    """Workers that have blocks in hand; the parent reads, answers in order, and hands on."""

    def __init__(
        self, blocks: Iterator[Block], work: RowWork, memory: Remembered, processes: int
    ) -> None:
        self.blocks, self.work, self.memory, self.processes = blocks, work, memory, processes
        self.workers: dict[Connection, BaseProcess] = {}
        self.in_hand: dict[Connection, int] = {}  # blocks
        self.ended: dict[int, Outcome | BaseException] = {}
        self.questions: dict[tuple[int, int], tuple[Connection, Question]] = {}
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
            self.in_hand[mine] = 0

    def _deal(self, wanted: int) -> None:
        """Give workers their next block, as long as not too many wait for the one wanted."""
        while self.dealt < wanted + _AHEAD * self.processes:
            worker = min(self.workers, key=self.in_hand.__getitem__)
            if self.in_hand[worker] == _IN_HAND:
                return
            try:
                block = next(self.blocks, None)
            except Exception as error:  # in its turn: a block before may fail as well
                self.ended[self.dealt] = error
                self.blocks, block = iter(()), None
                self.dealt += 1
            if block is None:
                return
            self._send(worker, self.dealt, block)
            self.in_hand[worker] += 1
            self.dealt += 1

    def _listen(self) -> None:
        """Take in what workers say, then answer those whose turn it is."""
        for ready in wait(list(self.workers)):
            worker = cast(Connection, ready)
            try:
                number, said = worker.recv()
            except (EOFError, OSError):
                raise self._died(worker) from None
            if isinstance(said, Question):
                self.questions[said.part, number] = worker, said
            else:
                self.ended[number] = said
                self.in_hand[worker] -= 1
        for part, turn in enumerate(self.turns):
            while found := self.questions.pop((part, turn), None):
                worker, question = found
                self._send(worker, turn, self.memory.answer(question))
                self.turns[part] = turn = turn + 1

    def _send(self, worker: Connection, number: int, what: Any) -> None:
        """Send a block, or the answer to what the work on it asked."""
        try:
            worker.send((number, what))
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
    """A worker's life: blocks in, their outcomes back, until nobody is at the other end.

    While the answer to one block is on its way, the next is worked on.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to handle, which ends this
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_DFL)
    for other in others:
        other.close()
    inbox: SimpleQueue[tuple[int, Any] | None] = SimpleQueue()
    Thread(target=_receive, args=(connection, inbox), daemon=True).start()
    begun: dict[int, Work] = {}
    with suppress(ConnectionError):
        while said := inbox.get():
            number, what = said
            answer = None
            if isinstance(what, Block):
                begun[number] = work(what)
            else:
                answer = what
            connection.send((number, _advance(begun, number, answer)))


def _receive(connection: Connection, inbox: SimpleQueue[tuple[int, Any] | None]) -> None:
    """Take what comes at any time: a parent that waits to send cannot answer."""
    with suppress(EOFError, ConnectionError):
        while True:
            inbox.put(connection.recv())
    inbox.put(None)


def _advance(begun: dict[int, Work], number: int, answer: Any) -> Said:
    """What the work on a block says next: a question, or what it came to."""
    try:
        return begun[number].send(answer)
    except StopIteration as end:
        outcome: Outcome = end.value
        outcome.encode()
        said: Said = outcome
    except UserError as error:
        said = error
    except Exception:
        said = RuntimeError(f"in a worker:\n{traceback.format_exc()}")
    del begun[number]
    return said
