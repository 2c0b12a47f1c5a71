"""What a model answers with, and by which head: as its run says, else as its config.json does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from instructune.architectures import Head
from instructune.fetching.modelfiles import ModelFiles
from instructune.rundir import open_run

_OBJECTIVES = {
    "causal": "sft",
    "seq2seq": "seq2seq",
    "sequence": "classify",
    "token": "tag",
    "masked": "mlm",
    "encoder": "embed",
}


class Role(NamedTuple):
    """An objective, the head it trained, and what the run keeps for its answers."""

    objective: str
    head: Head
    facts: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As run.json has it."""
        return {"objective": self.objective, "head": asdict(self.head), "facts": dict(self.facts)}


def role_of(files: ModelFiles) -> Role:
    """The role of a run's model or of any other."""
    if files.run is not None and (said := open_run(files.run)[1].get("answers")):
        return Role(said["objective"], files.head, said["facts"])
    return Role(_OBJECTIVES[files.head.kind], files.head, {})
