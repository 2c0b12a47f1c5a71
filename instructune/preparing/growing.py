"""What a model is asked to make an instruction set grow, and what its answers say; en and zh."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from instructune.errors import usage
from instructune.records import Record
from instructune.refusals import refuses
from instructune.texts import is_chinese, prompt_of, words

KINDS = ("paraphrase", "new-instruction")
_LEAST, _MOST = 3, 150  # words of an instruction; more is rarely one
_ASKED = {
    ("paraphrase", False): (
        "Say the following request in other words. It must still ask for exactly the same thing, "
        "keep all names, numbers and quoted text, and must not be answered. "
        "Reply with the new request alone.\n\nRequest: {text}"
    ),
    ("paraphrase", True): (
        "请换一种说法表达下面的请求。意思必须完全相同，保留所有名称、数字和引用的文字，不要回答它。"
        "只回复新的请求。\n\n请求：{text}"
    ),
    ("new-instruction", False): (
        "Below are requests that people send to an assistant. Write one more that asks for "
        "something different from all of them, is clear by itself and can be answered in text "
        "alone. Reply with the new request alone.\n\n{text}\n\nNew request:"
    ),
    ("new-instruction", True): (
        "下面是人们发给助手的一些请求。请再写一个与它们都不同的请求，要求清楚完整，只用文字就能回答。"
        "只回复新的请求。\n\n{text}\n\n新的请求："
    ),
}
# what models put before the request that they were to give alone
_LABEL = re.compile(
    r"\A\s*(?:[-*•]\s+|\d+[.)、]\s*)?(?:\*\*)?"
    r"(?:(?:new|rephrased|rewritten)\s+)?(?:(?:request|instruction)\s*[:：]|新?的?(?:请求|指令)\s*[:：])"
    r"(?:\*\*)?\s*",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\A\s*(?:[-*•]\s+|\d+[.)、](?!\d)\s*)")
_QUOTED = re.compile(r"\A(?:\"(.*)\"|“([^”]*)”|「([^」]*)」|'(.*)')\Z", re.S)


def question(kind: str, record: Record, shown: Sequence[str]) -> Record:
    """The prompt that asks for a paraphrase of a record, or for an instruction beside `shown`."""
    if kind not in KINDS:
        raise usage(f"unknown kind {kind!r}", where="--ask", hint=f"one of {', '.join(KINDS)}")
    asked = prompt_of(record)
    listed = "\n".join(f"{i}. {text}" for i, text in enumerate(shown, 1))
    text = asked if kind == "paraphrase" else listed
    filled = _ASKED[kind, is_chinese(asked)].format(text=text)
    about: dict[str, Any] = {"kind": kind, "of": record["id"]}
    if kind == "paraphrase":
        about["record"] = dict(record)
    messages = [{"role": "user", "content": filled}]
    return Record({"id": f"{record['id']}~ask", "messages": messages, "asks": about})


def accepted(row: Record) -> Record:
    """The record that an answer makes, marked `generated`; or the row with why it is `unusable`.

    A row that `question` made gives a new instruction, which has the old answer where it is a
    paraphrase; any other row becomes a chat that ends in the answer.
    """
    answer: Any = row.get("prediction")
    about = row.get("asks")
    kind = about["kind"] if about else "answer"
    reason = _fault(answer, row, is_instruction=about is not None)
    if reason:
        return Record(row | {"unusable": reason})
    mark = {"generated": {"kind": kind, "model": row.get("model"), "sample": row.get("sample", 0)}}
    if about is None:
        kept = {k: v for k, v in row.items() if k not in _SPENT}
        turns = [*row.prompt(), {"role": "assistant", "content": answer}]
        return Record(kept | {"messages": turns} | mark)
    text = _bare(answer)
    mark["generated"]["of"] = about["of"]
    new: dict[str, Any] = {"messages": [{"role": "user", "content": text}]}
    if kind == "paraphrase":
        old = Record(about["record"])
        new = {k: v for k, v in old.items() if k not in ("structure", "origin")}
        new |= {"group": old.get("group") or old["id"], **_said_anew(old, text)}
    return Record(new | {"id": f"{about['of']}~{kind}{row.get('sample', 0) + 1}"} | mark)


_SPENT = ("prediction", "sample", "finish_reason", "usage", "model", "token_logprobs", "scores")


def _said_anew(old: Record, text: str) -> dict[str, Any]:
    """The body of a record whose last request is said in other words."""
    if "messages" not in old:
        return {"text": text}
    turns = [dict(turn) for turn in old["messages"]]
    last = max(i for i, turn in enumerate(turns) if turn["role"] == "user")
    turns[last]["content"] = text
    return {"messages": turns}


def _fault(answer: Any, row: Record, *, is_instruction: bool) -> str | None:
    if not isinstance(answer, str):
        return "the model gave no answer"
    if row.get("finish_reason") == "length":
        return "the answer was cut short"
    if not answer.strip():
        return "the answer is empty"
    if not is_instruction:
        return "the row is no chat" if "messages" not in row else None
    if refuses(answer):
        return "the answer is a refusal"
    if not _LEAST <= len(words(_bare(answer))) <= _MOST:
        return f"an instruction of fewer than {_LEAST} or more than {_MOST} words"
    return None


def _bare(answer: str) -> str:
    """The instruction alone: no label, list mark or quotation marks around it."""
    text = _LABEL.sub("", answer.strip(), count=1).strip()
    if "\n" not in text:
        text = _ITEM.sub("", text)
    if found := _QUOTED.match(text):
        text = next(part for part in found.groups() if part is not None)
    return text.strip()
