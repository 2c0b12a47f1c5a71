"""SQuAD: questions about contexts, with answers that stand in them; nested or flat."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from instructune.formats import _keys, _labels
from instructune.records import FIELDS

TAKES = ("data", "paragraphs", "qas", "context", "question", "answers", "title")


def recognises(keys: frozenset[str]) -> bool:
    """A document of articles, an article, a paragraph, or a question with its context."""
    return _keys.is_squad(keys)


def convert(row: dict[str, Any], notes: Counter[str]) -> list[dict[str, Any]]:
    """A record a question: context and question, a blank line between, are the user's turn.

    All answers are `references`. `context`, `question` and `answers` stay beside; `group` is
    the title, else a hash of the context, so that a split keeps a text on one side. Answers
    that do not stand where `answer_start` says, in code points, are counted in `notes`, as are
    questions without an answer, whose records are prompts only.
    """
    return [_record(*found, notes) for found in _questions(row)]


def _questions(row: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, str | None]]:
    """Each question with its context and the title of its article."""
    if "data" in row:
        for article in _list(row, "data"):
            yield from _questions(article)
    elif "paragraphs" in row:
        for paragraph in _list(row, "paragraphs"):
            yield from _questions({"title": row.get("title"), **paragraph})
    elif "qas" in row:
        context = _labels.text(row, "context")
        for question in _list(row, "qas"):
            yield question, context, row.get("title")
    else:
        flat = {name: row[name] for name in ("question", "answers", "id") if name in row}
        yield flat, _labels.text(row, "context"), row.get("title")


def _list(row: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = row[name]
    if type(value) is not list or not all(type(item) is dict for item in value):
        raise ValueError(f"{name} must be a list of objects")
    return value


def _record(
    row: Mapping[str, Any], context: str, title: Any, notes: Counter[str]
) -> dict[str, Any]:
    question = _labels.text(row, "question")
    answers = list(_answers(row.get("answers")))
    made: dict[str, Any] = {}
    if type(row.get("id")) in (str, int):
        made["id"] = str(row["id"])
    made["messages"] = [{"role": "user", "content": f"{context}\n\n{question}"}]
    texts = list(dict.fromkeys(text for text, _ in answers if text))
    if texts:
        made["messages"].append({"role": "assistant", "content": texts[0]})
        made["references"] = texts
    else:
        notes["questions without an answer"] += 1
    if any(type(at) is int and context[at : at + len(text)] != text for text, at in answers):
        notes["answers that do not stand at their answer_start"] += 1
    made |= {"context": context, "question": question, "answers": row.get("answers", [])}
    if type(title) is str:
        made["title"] = title
    digest = hashlib.blake2b(context.encode(), digest_size=8).hexdigest()
    made["group"] = title if type(title) is str and title else digest
    others = row.keys() - made.keys() - FIELDS.keys()
    return made | {name: row[name] for name in row if name in others}


def _answers(value: Any) -> Iterator[tuple[str, Any]]:
    """The text and place of each answer, from a list of objects or an object of lists."""
    if type(value) is dict and type(value.get("text")) is list:
        starts = value.get("answer_start") or [None] * len(value["text"])
        value = [
            {"text": text, "answer_start": start}
            for text, start in zip(value["text"], starts, strict=False)
        ]
    for answer in value or ():
        if type(answer) is str:
            yield answer, None
        elif type(answer) is dict and type(answer.get("text")) is str:
            yield answer["text"], answer.get("answer_start")
        else:
            raise ValueError("answers must hold objects with a text")
