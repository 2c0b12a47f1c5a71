"""Prompts in, answers that are no text out: labels, tags, numbers, vectors, a batch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from instructune.answering.completions import Completion, Prompt, Tick
from instructune.environment import importing_torch
from instructune.errors import UserError
from instructune.training.batches import TokenData, micro_batches

if TYPE_CHECKING:
    from instructune.backends.transformers import Local
    from instructune.tokens import TokenRow
    from instructune.training.goals import Answers

_TOKENS = 4096  # padded ones at once


def answered(answers: Answers, local: Local, prompts: list[Prompt], tick: Tick) -> list[Completion]:
    """One answer a prompt, in order; what cannot be read becomes an error."""
    with importing_torch():
        import torch

        from instructune.memory import memory_errors

    found: list[Completion | None] = [None] * len(prompts)
    rows: dict[int, TokenRow] = {}
    for i, prompt in enumerate(prompts):
        try:
            rows[i] = answers.row(prompt.record)
        except UserError as error:
            found[i] = Completion(None, "error", error=error.reason)
    places = list(rows)
    data = TokenData(rows.values())
    tokens = 0
    with memory_errors(), torch.inference_mode():
        for group in micro_batches(data, range(len(places)), _TOKENS) if rows else []:
            chosen = [rows[places[i]] for i in group]
            told = answers.of(local.model, chosen, local.pad_id)
            for i, row, fields in zip(group, chosen, told, strict=True):
                found[places[i]] = _completion(dict(fields), len(row.ids))
                tokens += len(row.ids)
            tick(sum(one is not None for one in found), tokens)
    return [one for one in found if one is not None]


def _completion(fields: dict[str, Any], tokens: int) -> Completion:
    if "prediction" not in fields:
        return Completion(None, "error", tokens, error="the model's output is not finite")
    answer = fields.pop("prediction")
    return Completion(answer, "stop", tokens, measured=fields)
