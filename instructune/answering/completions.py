"""What a backend is asked and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from instructune.records import PREDICTION_FIELDS, Record

Notify = Callable[[dict[str, Any]], None]
Tick = Callable[[int, int], None]

# What a prediction says beside the record. In a row that is a prediction already they are that
# one's, and go with it; in any other row they are columns of the user's, kept under `fields`.
_OURS = frozenset(PREDICTION_FIELDS)
_MEASURED = frozenset(["scores", "spans"])


class Prompt(NamedTuple):
    """One completion to make: of `record`, its `sample`-th."""

    record: Record
    sample: int


class Completion(NamedTuple):
    """An answer, or None and the error that took its place.

    `completion_tokens` leaves out the token that stopped it; `measured` are further fields.
    """

    text: Any  # a text; or labels, tags, a number, a vector
    finish_reason: str  # stop, length or error
    prompt_tokens: int = 0
    completion_tokens: int = 0
    error: str | None = None
    measured: Mapping[str, Any] = {}


class Backend(Protocol):
    """Prompts in, completions out, in the same order."""

    fingerprint: str
    """of the run or model that answers"""

    def settings(self) -> dict[str, Any]:
        """What decides the answers beside the command's own settings."""

    def complete(self, prompts: list[Prompt], tick: Tick) -> list[Completion]:
        """Answer a window of prompts; a prompt that fails gets an error, not an exception.

        `tick(answers, tokens)` is told of how many are finished so far, and of tokens so far.
        """


def carried(record: Record) -> dict[str, Any]:
    """The fields of a record that go along into its predictions."""
    taken = record.keys() & _OURS
    if "prediction" in record:
        return {k: v for k, v in record.items() if k not in _OURS and k not in _MEASURED}
    if not taken:
        return dict(record)
    row = {key: value for key, value in record.items() if key not in taken}
    row["fields"] = {key: record[key] for key in record if key in taken} | record.get("fields", {})
    return row


def prediction(prompt: Prompt, completion: Completion, model: str) -> dict[str, Any]:
    """The prediction row: the record and what the model made of it."""
    row = (
        carried(prompt.record)
        | {
            "sample": prompt.sample,
            "prediction": completion.text,
            "finish_reason": completion.finish_reason,
            "usage": {
                "prompt_tokens": completion.prompt_tokens,
                "completion_tokens": completion.completion_tokens,
            },
            "model": model,
        }
        | dict(completion.measured)
    )
    if completion.error is not None:
        row["error"] = completion.error
    return row


def record_of(row: dict[str, Any]) -> dict[str, Any]:
    """What `carried` gave of the record that a prediction row was made from."""
    return {key: value for key, value in row.items() if key not in _OURS}
