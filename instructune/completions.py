"""What a backend is asked and what it answers."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from instructune.records import Record


class Prompt(NamedTuple):
    """One completion to make: of `record`, its `sample`-th."""

    record: Record
    sample: int


class Completion(NamedTuple):
    """An answer, or None and the error that took its place."""

    text: str | None
    finish_reason: str  # stop, length or error
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str | None = None


class Backend(Protocol):
    """Prompts in, completions out, in the same order."""

    fingerprint: str

    def complete(self, prompts: list[Prompt]) -> list[Completion]:
        """Answer a window of prompts; a prompt that fails gets an error, not an exception."""


def prediction(prompt: Prompt, completion: Completion, model: str) -> dict[str, Any]:
    """The prediction row: the record and what the model made of it."""
    row = {k: v for k, v in prompt.record.items() if k not in ("sample", "prediction")}
    row |= {
        "sample": prompt.sample,
        "prediction": completion.text,
        "finish_reason": completion.finish_reason,
        "usage": {
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
        },
        "model": model,
    }
    if completion.error is not None:
        row["error"] = completion.error
    return row
