"""Prompts in, answers that are no text out: labels, tags, numbers, vectors, a batch at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from instructune.answering.completions import Completion, Prompt, Tick
from instructune.attribution.explaining import Case
from instructune.environment import importing_torch
from instructune.errors import UserError
from instructune.training.batches import TokenData, micro_batches

if TYPE_CHECKING:
    from instructune.backends.transformers import Local
    from instructune.records import Record
    from instructune.tokens import TokenRow
    from instructune.training.goals import Answers, Target

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
    explained = local.counted("answers explained", len(prompts))
    for i, prompt in enumerate(prompts):
        if found[i] is None:
            own, fields = [rows[k] for k in places[i]], [parts[k] for k in places[i]]
            whole = {} if {} in fields else dict(answers.joined(prompt.record, fields))
            if local.explained and whole:
                whole |= _explained(local, prompt.record, own, fields, whole["prediction"])
            found[i] = _completion(whole, sum(len(row.ids) for row in own))
        if local.explained:
            explained(1)
    return [one for one in found if one is not None]


def _explained(
    local: Local,
    record: Record,
    rows: list[TokenRow],
    parts: list[Mapping[str, Any]],
    answer: Any,
) -> dict[str, Any]:
    """The field that says why, unless there is nothing to explain."""
    plug_in: Any = local.answers
    target: Target | None = plug_in.target(record, rows, parts)
    if target is None:
        return {}
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
    return {"explanation": local.why(Case(record, target.row.ids, [], text, target))}


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
    with memory_errors():
        model = local.model  # loaded where its weights can still take part in gradients
    with memory_errors(), torch.inference_mode():
        for group in micro_batches(data, range(len(rows)), _TOKENS):
            chosen = [rows[i] for i in group]
            told = answers.of(model, chosen, local.pad_id)
            found |= dict(zip(group, told, strict=True))
            tokens += sum(len(row.ids) for row in chosen)
            tell(set(found), tokens)
    return found


def _completion(fields: dict[str, Any], tokens: int) -> Completion:
    if "prediction" not in fields:
        return Completion(None, "error", tokens, error="the model's output is not finite")
    answer = fields.pop("prediction")
    return Completion(answer, "stop", tokens, measured=fields)
