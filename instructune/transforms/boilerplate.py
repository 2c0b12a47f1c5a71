"""Takes out prompt templates baked into turns, stray end marks, and lines listed in a file."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from instructune.chats import Message
from instructune.preparing.editing import Edit, replaced
from instructune.preparing.wordlists import lines_of
from instructune.records import Record

# Alpaca's: a preamble, then headed parts. A preamble alone may be somebody's own sentence.
_ALPACA = re.compile(
    r"\A\s*(?:(?:Below is an? (?:instruction|conversation|question)|以下是一?[条个]?)[^\n]*\n\s*)?"
    r"###\s*(?:Instruction|指令)\s*[:：][ \t]*\n?(?P<ask>.*?)\s*"
    r"(?:\n###\s*(?:Input|输入)\s*[:：][ \t]*\n?(?P<input>.*?)\s*)?"
    r"(?:\n###\s*(?:Response|回答|回复|输出)\s*[:：]\s*)?\Z",
    re.S,
)
_CHATML = re.compile(
    r"\A\s*<\|im_start\|>user\n(?P<ask>.*?)\s*<\|im_end\|>\s*(?:<\|im_start\|>assistant\s*)?\Z",
    re.S,
)
_LLAMA = re.compile(r"\A\s*(?:<s>)?\s*\[INST\]\s*(?!<<SYS>>)(?P<ask>.*?)\s*\[/INST\]\s*\Z", re.S)
_VICUNA = re.compile(r"\A\s*USER:\s*(?P<ask>.*?)\s*\n?ASSISTANT:\s*\Z", re.S)
_TEMPLATES = (
    ("### Instruction", _ALPACA),
    ("### 指令", _ALPACA),
    ("###Instruction", _ALPACA),
    ("<|im_start|>user", _CHATML),
    ("[INST]", _LLAMA),
    ("ASSISTANT:", _VICUNA),
)
_MARKS = re.compile(
    r"\s*(?:</s>|<\|(?:endoftext|end_of_text|eot_id|im_end|end)\|>|<eos>|<end_of_turn>|\[EOS\]"
    r"|###\s?(?:eos_token|end|eos)\s?###|### End)\s*\Z",
    re.I,
)
_MARK_ENDS = ("#", ">", "]", "d", "D", " ", "\n")  # what a mark may end in
_KINDS = {"user": "prompt templates taken out", "assistant": "end marks taken out"}


@dataclass(frozen=True)
class Options:
    """`file`: lines to take out wherever one stands by itself, whatever blanks are around it."""

    file: str | None = None
    templates: bool = True
    marks: bool = True


class Transform:
    """Templates in user turns, end marks in answers, lines anywhere."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lines: frozenset[str] = frozenset()
        if options.file:
            self._lines = frozenset(lines_of(options.file, "--transform boilerplate"))

    def __call__(self, record: Record, changes: Counter[str]) -> list[Record]:
        """The record without what stands in it by habit."""
        new = record
        if "messages" in record:
            turns = [self._bare(turn) for turn in record["messages"]]
            if turns != record["messages"]:
                pairs = zip(record["messages"], turns, strict=True)
                changes.update({_KINDS[old["role"]] for old, now in pairs if old != now})
                new = Record(record | {"messages": turns})
        if self._lines:
            listed = replaced(new, self._listed)
            if listed is not new:
                changes["listed lines taken out"] += 1
                new = listed
        return [new]

    def _bare(self, turn: Message) -> Message:
        text, role = turn.get("content") or "", turn["role"]
        if role == "user" and self._options.templates:
            for sign, template in _TEMPLATES:
                if sign in text and (found := template.match(text)):
                    parts = found.groupdict()
                    asked = [parts["ask"], parts.get("input")]
                    return turn | {"content": "\n\n".join(part for part in asked if part)}
        elif role == "assistant" and self._options.marks and text[-1:] in _MARK_ENDS:
            return turn | {"content": _MARKS.sub("", text)}
        return turn

    def _listed(self, text: str) -> list[Edit]:
        edits, at = [], 0
        for line in text.split("\n"):
            end = min(at + len(line) + 1, len(text))
            if line.strip() in self._lines:
                edits.append(Edit(at, end, ""))
            at = end
        return edits
