"""The command line without its imports' seconds: one process loads them, each run is a fork of it.

Reads one JSON object a line: `args`, `cwd`, `stdin` (a file), `out` and `err` (files to write),
and `triggers`, each `{"on": NAME, "n": N, "signal": S}`: the run sends itself signal S at the N-th
call of what NAME stands for, where `torn` says so with half of a write done. `after` kills the run
after that many seconds. Answers each with the exit status as `subprocess` has it: negative for a
signal.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from contextlib import suppress
from typing import Any


def _places() -> dict[str, tuple[Any, str]]:
    from instructune import rundir
    from instructune.training import checkpoints, saving
    from instructune.training.optimizers import Optimizer

    return {
        "step": (Optimizer, "step"),
        "event": (rundir.Log, "append"),
        "fsync": (os, "fsync"),
        "replace": (os, "replace"),
        "rename": (os, "rename"),
        "unlink": (os, "unlink"),
        "write": (os, "write"),
        "tensors": (checkpoints, "save_file"),
        "save": (checkpoints, "save"),
        "trained": (saving, "save_model"),
    }


def _set(trigger: dict[str, Any]) -> None:
    owner, name = _places()[trigger["on"]]
    function, calls = getattr(owner, name), 0

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == trigger["n"]:
            if trigger.get("torn"):
                function(args[0], bytes(args[1])[: len(args[1]) // 2])
            os.kill(os.getpid(), trigger["signal"])
        return function(*args, **options)

    setattr(owner, name, counted)


def _sink(name: str | None) -> int:
    if name is not None:
        return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    readable, writable = os.pipe()
    os.close(readable)
    return writable


def _limit(more: int) -> None:
    with open("/proc/self/statm") as stream:
        mapped = int(stream.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + more, mapped + more))


def _run(job: dict[str, Any]) -> None:
    opened = [
        os.open(job.get("stdin") or os.devnull, os.O_RDONLY),
        _sink(job["out"]),
        _sink(job["err"]),
    ]
    for target, descriptor in enumerate(opened):
        os.dup2(descriptor, target)
    # new ones: the old ones remember whether the file they were opened on could be sought
    sys.stdout, sys.stderr = (os.fdopen(n, "w", buffering=1, closefd=False) for n in (1, 2))
    for trigger in job.get("triggers", ()):
        _set(trigger)
    if "memory" in job:
        _limit(job["memory"])
    os.chdir(job["cwd"])
    sys.argv = ["instructune", *job["args"]]

    from instructune.cli import main

    main()


def _child(job: dict[str, Any]) -> None:
    code = 1
    try:
        _run(job)
        code = 0
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):
                stream.flush()
        os._exit(code)


def _status(pid: int, after: float | None) -> int:
    if after is not None:
        time.sleep(after)
        os.kill(pid, 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    from instructune.environment import before_torch

    before_torch()
    import peft  # noqa: F401
    from transformers import (  # noqa: F401
        BertModel,
        GPT2LMHeadModel,
        LlamaForCausalLM,
        T5ForConditionalGeneration,
    )

    import instructune.answering.decoding
    import instructune.stages.generate
    import instructune.stages.train
    import instructune.training.fitting  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        sys.stdout.flush()
        pid = os.fork()
        if not pid:
            _child(job)
        print(json.dumps(_status(pid, job.get("after"))), flush=True)


if __name__ == "__main__":
    main()
