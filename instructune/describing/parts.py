"""The parts of a prompt: what is asked, what it is asked of, and worked examples."""

from __future__ import annotations

import re
from typing import NamedTuple


class Parts(NamedTuple):
    """The instruction with long quotations left out, and the material it is about, if any."""

    instruction: str
    input: str | None


_QUOTED = re.compile(r"[\"“「『]([^\"“”「」『』]{9,})[\"”」』]")
_QUOTED_ZH = re.compile(r"[“「『\"]([^\"“”「」『』]*[\u4e00-\u9fff][^\"“”「」『』]{5,})[”」』\"]")
_COLON = re.compile(r"^(?P<head>[^:：]{6,}?)[:：]\s*(?P<tail>[^\s].*)$", re.DOTALL)
_LAST_QUESTION = re.compile(r"(?:^|[.!。！\n]\s*)([^.!?。！？\n]+[?？])\s*$")
_LABEL = re.compile(r"^\s*(?P<label>[^\s:：][^:：\n]{0,24})[:：]\s*(?P<value>.*)$")
_ARROW = re.compile(r"(?:->|=>|→|－>|=)")


def parts(prompt: str) -> Parts:
    """Cut a prompt at its first blank line, its first line end, or its colon.

    A question at the very end belongs to the instruction; long quotations are material.
    """
    text = prompt.strip()
    head, tail = _cut(text)
    if tail and not re.search("[?？]", head) and (last := _LAST_QUESTION.search(tail)):
        head = f"{head} {last[1]}"  # a story before its question
    quotes = [match[1] for match in (*_QUOTED.finditer(head), *_QUOTED_ZH.finditer(head))]
    bare = _QUOTED_ZH.sub("…", _QUOTED.sub("…", head))
    return Parts(bare.strip(), tail or (max(quotes, key=len) if quotes else None))


def _cut(text: str) -> tuple[str, str | None]:
    """The instruction and what follows it."""
    if demonstrated(text):
        return _before_examples(text), None
    for mark in ("\n\n", "\n"):
        head, found, tail = text.partition(mark)
        if found and len(head) > 3 and tail.strip():
            label = _LABEL.match(head)
            if mark == "\n\n" and "\n" in head and not label:
                inner, _, rest = head.partition("\n")
                return inner, f"{rest}\n\n{tail}".strip()
            return head, tail.strip()
    colon = _COLON.match(text)
    if colon and len(colon["tail"]) > 5 and not colon["tail"].startswith(("//", "\\")):
        return colon["head"], colon["tail"]
    return text, None


def _before_examples(text: str) -> str:
    """The lines before the first worked example; empty where the examples are all there is."""
    kept: list[str] = []
    for line in text.split("\n"):
        if _is_example_line(line):
            break
        kept.append(line)
    return "\n".join(kept).strip()


def _is_example_line(line: str) -> bool:
    label = _LABEL.match(line)
    return bool(
        (label and len(label["label"]) <= 16)
        or _ARROW.search(line)
        or re.match(r"\s*(?:def |#|>>>)", line)
    )


def demonstrated(prompt: str) -> str | None:
    """The first worked example of a prompt that shows some and leaves the last one open."""
    lines = [line for line in prompt.strip().split("\n") if line.strip()]
    if len(lines) < 2:
        return None
    return _by_label(lines) or _by_arrow(lines) or _by_code(lines)


def _by_label(lines: list[str]) -> str | None:
    """As in "Q: … A: … Q: … A:": the last label is open, and was filled after the same label."""
    labels = [(i, found) for i, line in enumerate(lines) if (found := _LABEL.match(line))]
    if len(labels) < 4 or labels[-1][1]["value"].strip() or labels[-1][0] != len(lines) - 1:
        return None
    asked, answered = labels[-2][1]["label"], labels[-1][1]["label"]
    if asked == answered:
        return None
    for (_, first), (i, second) in zip(labels, labels[1:-1], strict=False):
        if (first["label"], second["label"]) == (asked, answered) and second["value"].strip():
            return f"{first.group().strip()}\n{lines[i].strip()}"
    return None


def _by_arrow(lines: list[str]) -> str | None:
    """As in "a -> b", "c -> d", "e ->": the last line ends in the mark that parts the others."""
    last = re.search(r"(->|=>|→|－>|=|＝)\s*$", lines[-1])
    if not last:
        return None
    mark = last[1]
    filled = [line for line in lines[:-1] if mark in line and line.rpartition(mark)[2].strip()]
    return filled[0].strip() if len(filled) > 1 else None


def _by_code(lines: list[str]) -> str | None:
    """As in two functions with a body, and a third without."""
    heads = [i for i, line in enumerate(lines) if re.match(r"\s*(?:async )?def\b", line)]
    if len(heads) < 3 or heads[-1] != len(lines) - 1:
        return None
    return "\n".join(lines[heads[0] : heads[1]]).strip()
