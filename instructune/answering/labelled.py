"""Prompts in, answers that are no text out: labels, tags, numbers, vectors, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    found: list[Completion | None] = [None] * len(prompts)
    rows: list[TokenRow] = []
    places: list[range] = []  # of each prompt's rows
    for i, prompt in enumerate(prompts):
        start = len(rows)
        try:
            rows += answers.rows(prompt.record)
        except UserError as error:
            found[i] = Completion(None, "error", error=error.reason)
        places.append(range(start, len(rows)))
    parts = _parts(answers, local, rows, lambda done, tokens: tick(_done(done, places), tokens))
    for i, prompt in enumerate(prompts):
        if found[i] is None:
            read = sum(len(rows[k].ids) for k in places[i])
            fields = [parts[k] for k in places[i]]
            whole = {} if {} in fields else dict(answers.joined(prompt.record, fields))
            found[i] = _completion(whole, read)
    return [one for one in found if one is not None]


def _done(rows: set[int], places: list[range]) -> int:
    """How many prompts have all their rows answered."""
    return sum(rows.issuperset(place) for place in places)


def _parts(
    answers: Answers, local: Local, rows: list[TokenRow], tell: Callable[[set[int], int], None]
) -> dict[int, Mapping[str, Any]]:
    """What each row is answered, in batches of rows of about one length."""
    if not rows:
        return {}
    with importing_torch():
        import torch

        from instructune.memory import memory_errors

    data, found, tokens = TokenData(rows), dict[int, Mapping[str, Any]](), 0
    with memory_errors(), torch.inference_mode():
        for group in micro_batches(data, range(len(rows)), _TOKENS):
            chosen = [rows[i] for i in group]
            told = answers.of(local.model, chosen, local.pad_id)
            found |= dict(zip(group, told, strict=True))
            tokens += sum(len(row.ids) for row in chosen)
            tell(set(found), tokens)
    return found


def _completion(fields: dict[str, Any], tokens: int) -> Completion:
    if "prediction" not in fields:
        return Completion(None, "error", tokens, error="the model's output is not finite")
    answer = fields.pop("prediction")
    return Completion(answer, "stop", tokens, measured=fields)
