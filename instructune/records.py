"""Record, Prediction, Score: the rows that flow between steps, field by field.

`FIELDS`, `PREDICTION_FIELDS` and `SUMMARY_FIELDS` are the contract; the README's tables and the
JSON Schema are generated from them. Unknown fields pass through every step untouched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from instructune.chats import ROLES, Message, check_messages

Check = Callable[[Any], str | None]

BODIES = ("messages", "text", "texts", "tokens")
KINDS = ("task", "constraint", "demonstration")


class Field(NamedTuple):
    """One field of a row: what it means, its JSON Schema, and a check that names what is wrong."""

    meaning: str
    schema: dict[str, Any]
    check: Check


def _typed(*kinds: type, what: str) -> Check:
    def check(value: Any) -> str | None:
        return None if type(value) in kinds else f"must be {what}"

    return check


def _list_of(kind: type, what: str, least: int = 1) -> Check:
    def check(value: Any) -> str | None:
        if type(value) is not list or len(value) < least:
            return f"must be a list of {what}"
        return None if all(type(item) is kind for item in value) else f"must hold only {what}"

    return check


def _check_checks(value: Any) -> str | None:
    if type(value) is not list:
        return "must be a list"
    for item in value:
        if type(item) is not dict or type(item.get("check")) is not str:
            return "must hold objects with a check name"
        if type(item.get("args", {})) is not dict:
            return "must hold args as an object"
    return None


def _check_references(value: Any) -> str | None:
    return None if type(value) is list and value else "must be a non-empty list"


def _check_label(value: Any) -> str | None:
    if type(value) in (str, int, float):
        return None
    return _list_of(str, "strings", least=0)(value)


def _check_kind(value: Any) -> str | None:
    given = value if type(value) is list else [value]
    return None if all(kind in KINDS for kind in given) else f"must be any of {', '.join(KINDS)}"


_STRING = _typed(str, what="a string")
_NUMBER = _typed(int, float, what="a number")
_OBJECT = _typed(dict, what="an object")
_OBJECTS = _list_of(dict, "objects", least=0)
_STRINGS = {"type": "array", "items": {"type": "string"}}
_TURNS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["role"],
        "properties": {"role": {"enum": list(ROLES)}, "content": {"type": ["string", "null"]}},
    },
}

FIELDS: dict[str, Field] = {
    "id": Field(
        "unique in a file; the row's own, else 16 hex digits of its content",
        {"type": "string"},
        _typed(str, what="a string"),
    ),
    "messages": Field(
        "chat turns `{role, content, tool_calls?}`; a last assistant turn is the reference answer",
        _TURNS,
        check_messages,
    ),
    "text": Field("plain text", {"type": "string"}, _STRING),
    "texts": Field("a pair of texts", _STRINGS, _list_of(str, "strings", least=2)),
    "tokens": Field("words of a tagged text", _STRINGS, _list_of(str, "strings")),
    "tags": Field("one tag a token", _STRINGS, _list_of(str, "strings")),
    "references": Field(
        "acceptable answers; default: the last assistant turn, or the label or tags",
        {"type": "array", "minItems": 1},
        _check_references,
    ),
    "entities": Field(
        "`[{start, end, type}]` in code points of the text", {"type": "array"}, _OBJECTS
    ),
    "relations": Field(
        "`[{head, tail, type}]` by index into `entities`", {"type": "array"}, _OBJECTS
    ),
    "label": Field(
        "a string for one class, a list for several, a number for regression",
        {"type": ["string", "number", "array"]},
        _check_label,
    ),
    "rejected": Field("the dispreferred ending, as turns", _TURNS, check_messages),
    "desirable": Field(
        "whether the answer is a good one", {"type": "boolean"}, _typed(bool, what="true or false")
    ),
    "positive": Field("a text close in meaning", {"type": "string"}, _STRING),
    "negatives": Field("texts far in meaning", _STRINGS, _list_of(str, "strings")),
    "annotations": Field("`{annotator: value}`", {"type": "object"}, _OBJECT),
    "tools": Field("function schemas the model may call", {"type": "array"}, _OBJECTS),
    "weight": Field("factor on the row's loss", {"type": "number"}, _NUMBER),
    "group": Field("rows of a group stay on one side of a split", {"type": "string"}, _STRING),
    "split": Field("name of the split", {"type": "string"}, _STRING),
    "task": Field("what job it is", {"type": "string"}, _STRING),
    "kind": Field(
        "any of task, constraint, demonstration", {"type": ["string", "array"]}, _check_kind
    ),
    "structure": Field(
        "parts of the instruction (action, object, input, constraints, output_format) and the "
        "words that told them, under `evidence`",
        {"type": "object"},
        _OBJECT,
    ),
    "language": Field("what it is written in: `en`, `zh`, …", {"type": "string"}, _STRING),
    "checks": Field(
        'verifiable constraints, `[{"check": "max_words", "args": {"n": 100}}]`',
        {"type": "array"},
        _check_checks,
    ),
    "augmented": Field(
        "the transform that made this copy of a row: `noise`, `synonyms`, …",
        {"type": "string"},
        _STRING,
    ),
    "dropped": Field("why `prepare` dropped it", {"type": "string"}, _STRING),
    "duplicate_of": Field(
        "id of the row that stayed instead of this dropped one", {"type": "string"}, _STRING
    ),
    "jaccard": Field(
        "how much of that row's word n-grams this near duplicate shares, from 0 to 1",
        {"type": "number"},
        _NUMBER,
    ),
    "touches": Field(
        "place of the evaluation row that this dropped one shares text with",
        {"type": "string"},
        _STRING,
    ),
    "mix_source": Field(
        "the source of `--mix` over whose share this dropped row was", {"type": "string"}, _STRING
    ),
    "origin": Field("`FILE:LINE` it came from (`-:LINE` for a pipe)", {"type": "string"}, _STRING),
    "fields": Field(
        "raw columns that bear a reserved name but were not mapped",
        {"type": "object"},
        _OBJECT,
    ),
}

# Fields of any raw row that stay where they are when valid: they describe it, or are read by one
# objective alone.
DESCRIPTIVE = frozenset(
    [
        "id",
        "positive",
        "negatives",
        "task",
        "kind",
        "structure",
        "language",
        "augmented",
        "dropped",
        "duplicate_of",
        "jaccard",
        "touches",
        "mix_source",
        "group",
        "split",
        "weight",
        "checks",
        "tools",
        "references",
        "annotations",
        "origin",
        "fields",
    ]
)

PREDICTION_FIELDS: dict[str, str] = {
    "sample": "0 to n-1; `(id, sample)` is the key everywhere",
    "prediction": "text, label, list, number or vector, as the reference is; null on error",
    "spans": "`[{start, end, type}]` that it found, in code points of the text",
    "finish_reason": "stop, length, filtered or error",
    "usage": "`{prompt_tokens, completion_tokens}`",
    "model": "fingerprint of the run or model that answered",
    "error": "what went wrong, where finish_reason is error",
    "token_logprobs": "`[[token, log-probability], …]` of the answer and its end (`--logprobs`)",
    "reference_logprob": "`{sum, tokens, bytes}` of the reference answer (`--score-references`)",
    "label_scores": "`{label: log-probability}` of each label as the answer (`--label-scores`)",
    "explanation": "`{method, target, tokens, values, check}`: why it answered so (`--explain`)",
}

SUMMARY_FIELDS: dict[str, str] = {
    "metric": "its name",
    "value": "the score; 0 to 1 unless the metric's page says otherwise",
    "ci95": "`[low, high]`, 95 % confidence interval",
    "n": "predictions scored",
    "n_expected": "predictions that should be there",
    "n_errors": "predictions that are errors; they count as wrong",
    "n_clusters": "with `--cluster`: its distinct values, the units of intervals and tests",
    "by": "`{field: value}` of a slice, or null",
    "signature": "the recipe: everything that could change the number",
    "chance": "what answers that ignore the question score: the best of `details.controls`",
    "baseline": "the baseline's value",
    "delta": "value minus baseline, over the same rows",
    "delta_ci95": "its 95 % confidence interval",
    "p": "two-sided p-value of the paired test",
    "p_adjusted": "`p` for the number of tests in the run, by `--adjust`",
    "details": "per-class report, confusion matrix; `paired`: effect size, power; `controls`",
}


class Record(dict[str, Any]):
    """A JSON object that keeps the contract of `FIELDS`."""

    @property
    def where(self) -> str:
        """The place to name in a message about this record."""
        return self.get("origin") or f"id {self.get('id')!r}"

    def prompt(self) -> list[Message]:
        """The turns before the reference answer; all of them where there is none."""
        messages = self["messages"]
        return messages[:-1] if messages[-1]["role"] == "assistant" else messages

    def answer(self) -> Message | None:
        """The last turn where it is the assistant's: the reference answer."""
        last = self["messages"][-1]
        return last if last["role"] == "assistant" else None

    def references(self) -> list[Any]:
        """The acceptable answers; empty where the record names none."""
        if "references" in self:
            return self["references"]
        for key in ("label", "tags"):
            if key in self:
                return [self[key]]
        if "messages" in self and (answer := self.answer()):
            return [answer.get("content") or ""]
        return []


def fault(row: dict[str, Any]) -> str | None:
    """Say what keeps `row` from being a record, or None."""
    checks, of_keys = _expected(tuple(row))
    for key, check in checks:
        if reason := check(row[key]):
            return f"{key}{'' if reason.startswith('[') else ' '}{reason}"
    if of_keys:
        return of_keys
    if "tags" in row and len(row["tags"]) != len(row.get("tokens", ())):
        return f"has {len(row['tags'])} tags for {len(row.get('tokens', ()))} tokens"
    if "text" in row and not row["text"].strip():
        return "text is empty"
    return None


@lru_cache(maxsize=1000)  # rows of a file have few sets of keys
def _expected(keys: tuple[str, ...]) -> tuple[list[tuple[str, Check]], str | None]:
    """The checks of a row with these keys, and what is wrong with the keys."""
    checks = [(key, FIELDS[key].check) for key in keys if key in FIELDS]
    bodies = [key for key in BODIES if key in keys]
    if len(bodies) == 1:
        return checks, None
    found = " and ".join(bodies) or "none"
    return checks, f"needs exactly one of {', '.join(BODIES)}, found {found}"


def content_id(record: dict[str, Any]) -> str:
    """16 hex digits of everything but `id` and `origin`, whatever the order of keys."""
    content = dict(record)
    content.pop("id", None)
    content.pop("origin", None)
    try:
        data = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # integers over 64 bits
        data = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def key_of(prediction: Mapping[str, Any]) -> tuple[str, int]:
    """`(id, sample)`: what joins predictions to references and baselines."""
    return prediction["id"], prediction.get("sample", 0)


def json_schema() -> dict[str, Any]:
    """The record contract as a JSON Schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "instructune record",
        "type": "object",
        "required": ["id"],
        "properties": {
            name: {"description": field.meaning} | field.schema for name, field in FIELDS.items()
        },
        "oneOf": [{"required": [name]} for name in BODIES],
    }
