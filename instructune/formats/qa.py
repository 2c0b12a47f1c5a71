"""A question and its answers: `question`, optional `context`, `answer` or `answers`."""

from __future__ import annotations

from typing import Any

from instructune.formats import _keys, _labels, _turns

TAKES = ("question", "answer", "answers", "context", "system")


def recognises(keys: frozenset[str]) -> bool:
    """A question and an answer, but no SQuAD and no chat."""
    return _keys.is_qa(keys)


def convert(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The question, after its context, is the user's turn; the first answer the assistant's.

    Several answers are all `references`; `question` and `context` stay beside.
    """
    question = _labels.text(row, "question")
    context = _turns.optional(row, "context", str, "a string")
    prompt = f"{context}\n\n{question}" if context else question
    messages = [*_turns.system(row), {"role": "user", "content": prompt}]
    made: dict[str, Any] = {"messages": messages}
    name = "answer" if "answer" in row or "answers" not in row else "answers"
    answers = _answers(row[name], name)
    if answers:
        messages.append({"role": "assistant", "content": answers[0]})
    if len(answers) > 1:
        made["references"] = answers
    more = {"answers": row["answers"]} if name == "answer" and "answers" in row else {}
    return [made | {"question": question} | ({"context": context} if context else {}) | more]


def _answers(value: Any, name: str) -> list[str]:
    """Distinct answers: a string, a list, or a value with its aliases."""
    if type(value) is dict and type(value.get("value")) is str:
        value = [value["value"], *(value.get("aliases") or ())]
    found = [] if value is None else value if type(value) is list else [value]
    if not all(type(item) in (str, int, float) for item in found):
        raise ValueError(f"{name} must be a string or a list of strings")
    return list(dict.fromkeys(str(item) for item in found))
