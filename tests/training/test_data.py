"""data: what a training reads beside its own rows, and what it tells of them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from instructune.configs import TrainConfig
from instructune.errors import Exit, UserError
from instructune.fetching.modelfiles import resolve
from instructune.objectives.sft import Objective
from instructune.rundir import RunDir
from instructune.tokenizer import Tokenizer
from instructune.training.data import Part, Reader
from instructune.training.goals import Given
from tests.tuning import chats, write_rows


def reader(
    folder: Path, notes: list[str], vocabulary: int | None = None, **given: object
) -> Reader:
    settings: dict[str, Any] = {"data": (write_rows(folder / "new.jsonl", chats(6)),)}
    config = TrainConfig(**(settings | given))
    objective = Objective(None, Given(Tokenizer(resolve("tiny-llama").tokenizer), 4096))
    return Reader(config, RunDir(folder / "run"), objective, vocabulary, notes.append)


def training(found: Reader) -> Part:
    with ExitStack() as stack:
        return found.training(stack)


def test_old_rows_are_learned_beside_the_new(tmp_path: Path) -> None:
    notes: list[str] = []
    old = write_rows(tmp_path / "old.jsonl", chats(2, start=50))
    plain = training(reader(tmp_path, notes))
    part = training(reader(tmp_path, notes, replay=(f"{old}:0.4",)))
    assert part.data.records[:6] == plain.data.records
    assert part.data.records[6:] == ["sum-50", "sum-51"]
    assert part.counts["replay"] == {old: {"rows": 2, "wanted": 4, "of": 2}}
    assert part.counts["rows_in"] == 6
    assert part.fingerprint != plain.fingerprint
    assert notes == [f"{old}: only 2 rows, 4 wanted"]
    assert training(reader(tmp_path, notes, replay=(f"{old}:0.25",))).counts["replay"]


def test_a_part_of_a_file(tmp_path: Path) -> None:
    found = reader(tmp_path, [])
    old = write_rows(tmp_path / "old.jsonl", chats(9, start=50))
    assert len(found.other(old).data) == 9
    part = found.other(old, 4)
    assert len(part.data) == 4
    assert part.data.records == found.other(old, 4).data.records
    assert part.counts["out"] == 9


def test_ids_that_the_model_has_no_embeddings_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the model has only 90 embeddings") as raised:
        training(reader(tmp_path, [], vocabulary=90))
    assert raised.value.code == Exit.MISMATCH
