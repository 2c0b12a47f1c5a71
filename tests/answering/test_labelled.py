"""labelled: answers that are no text, in order, whatever batches they were made in."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from instructune.answering import labelled
from instructune.answering.completions import Completion, Prompt
from instructune.attribution.explaining import Case
from instructune.errors import UserError
from instructune.records import Record
from instructune.tokens import TokenRow
from instructune.training.goals import Target


class Lengths:
    """Answers how long a text is; refuses the empty one, loses its mind over seven."""

    def rows(self, record: Record) -> list[TokenRow]:
        if not record["text"]:
            raise UserError("is empty")
        parts = record["text"].split("|")
        return [TokenRow([1] * len(part), [1.0], record["id"], "f:1") for part in parts]

    def of(self, model: Any, rows: Any, pad_id: int) -> list[dict[str, Any]]:
        assert torch.is_inference_mode_enabled()
        assert pad_id == 5
        long = (len(row.ids) for row in rows)
        return [{} if n == 7 else {"long": n} for n in long]

    def joined(self, record: Record, parts: Any) -> dict[str, Any]:
        total = sum(part["long"] for part in parts)
        return {"prediction": total, "extra": -total}


class Local:
    pad_id, explained = 5, None

    @property
    def model(self) -> None:
        """Loaded at first use: an inference tensor would have no gradients ever after."""
        assert not torch.is_inference_mode_enabled()

    def counted(self, what: str, of: int) -> Any:
        return None


@pytest.mark.parametrize("tokens", [1, 4096])
def test_in_order(monkeypatch, tokens):
    monkeypatch.setattr(labelled, "_TOKENS", tokens)
    texts = ["a|bc", "", "a", "abcdefg|a", "ab"]
    prompts = [Prompt(Record({"id": str(i), "text": t}), 0) for i, t in enumerate(texts)]
    ticks: list[tuple[int, int]] = []
    local: Any = Local()
    found = labelled.answered(Lengths(), local, prompts, lambda *told: ticks.append(told))
    assert found == [
        Completion(3, "stop", 3, measured={"extra": -3}),
        Completion(None, "error", error="is empty"),
        Completion(1, "stop", 1, measured={"extra": -1}),
        Completion(None, "error", 8, error="the model's output is not finite"),
        Completion(2, "stop", 2, measured={"extra": -2}),
    ]
    assert ticks[-1] == (5, 14)
    assert len(ticks) == (6 if tokens == 1 else 1)


def test_nothing_to_read():
    prompts = [Prompt(Record({"id": "1", "text": ""}), 0)]
    local: Any = Local()
    found = labelled.answered(Lengths(), local, prompts, lambda *told: None)
    assert found[0].finish_reason == "error"


class Explaining(Lengths):
    """Explains all but texts of one letter."""

    def target(self, record: Record, rows: Any, parts: Any) -> Target | None:
        assert [part["long"] for part in parts] == [len(row.ids) for row in rows]
        return Target(rows[-1], "it", lambda model, ids: ids) if len(record["text"]) > 1 else None


class Why(Local):
    explained, answers = True, Explaining()

    def __init__(self) -> None:
        self.told: list[int] = []

    def counted(self, what: str, of: int) -> Any:
        assert (what, of) == ("answers explained", 4)
        return self.told.append

    def why(self, case: Case) -> Any:
        return [case.record["id"], case.prompt, case.answer, case.text, case.target]


def test_each_answer_with_its_explanation():
    texts = ["a|bc", "", "a", "abcdefg"]
    prompts = [Prompt(Record({"id": str(i), "text": t}), 0) for i, t in enumerate(texts)]
    local: Any = Why()
    found = labelled.answered(local.answers, local, prompts, lambda *told: None)
    why = ["0", [1, 1], [], "3", "it"]
    assert found[0].measured == {"extra": -3, "explanation": why}
    assert [one.measured for one in found[1:]] == [{}, {"extra": -1}, {}]
    assert local.told == [1] * 4
