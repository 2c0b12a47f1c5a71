"""Solved examples before a question: chosen for each row, alike whoever asks and in which order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from instructune.bm25 import Index
from instructune.errors import UserError, usage
from instructune.lineage import fingerprint
from instructune.records import Record
from instructune.texts import normalised, prompt_of

CHOICES = ("fixed", "random", "nearest", "balanced")


class _Example(NamedTuple):
    """What is asked, as turns and as a text, and what is answered."""

    turns: list[dict[str, Any]]
    text: str
    answer: str


class Shots:
    """Puts `count` examples before each record.

    `fixed` takes the first ones; `random` draws by the seed and the row's id; `nearest` takes
    those whose words are most like the question's (BM25), the nearest last; `balanced` draws as
    many of each answer as it can. An example that asks the very same is never shown.
    """

    def __init__(self, records: Iterable[Record], count: int, choice: str, seed: int) -> None:
        """Raises UserError where an example has no answer, or there are fewer than `count`."""
        self.count, self.choice, self.seed = count, choice, seed
        self.examples = [_example(record) for record in records]
        self._asked = [normalised(example.text) for example in self.examples]
        if len(self.examples) < count:
            reason = f"needs {count} examples, the file has {len(self.examples)}"
            raise usage(reason, where="--shots")
        self._index = Index(example.text for example in self.examples)
        self._answers = sorted({example.answer for example in self.examples})

    @property
    def fingerprint(self) -> str:
        """16 hex digits of the examples, which the answers depend on."""
        return fingerprint([list(example) for example in self.examples])

    def before(self, record: Record) -> Record:
        """The record as it is asked: a chat behind the examples' turns, or a text behind theirs."""
        chosen = [self.examples[i] for i in self._chosen(record)]
        if "messages" in record:
            own = record["messages"]
            lead = [turn for turn in own[:1] if turn["role"] == "system"]
            shown = [turn for one in chosen for turn in (*one.turns, _said(one.answer))]
            return Record(record | {"messages": [*lead, *shown, *own[len(lead) :]]})
        blocks = [f"{one.text}\n{one.answer}\n\n" for one in chosen]
        rest = {k: v for k, v in record.items() if k not in ("texts", "tokens")}
        return Record(rest | {"text": "".join(blocks) + prompt_of(record) + "\n"})

    def _chosen(self, record: Record) -> list[int]:
        asked = prompt_of(record)
        same = normalised(asked)
        order = [i for i in self._order(record, asked) if self._asked[i] != same]
        found = order[: self.count]
        return found[::-1] if self.choice == "nearest" else found

    def _order(self, record: Record, asked: str) -> Sequence[int]:
        """All examples, those to be shown first."""
        if self.choice == "fixed":
            return range(len(self.examples))
        if self.choice == "nearest":
            found: list[int] = np.argsort(-self._index.scores(asked), kind="stable").tolist()
            return found
        key = hashlib.blake2b(f"{self.seed}\0{record['id']}".encode(), digest_size=8).digest()
        draws = np.random.default_rng(int.from_bytes(key, "little"))
        drawn: list[int] = draws.permutation(len(self.examples)).tolist()
        if self.choice == "random":
            return drawn
        turns: dict[str, int] = dict.fromkeys(self._answers, 0)
        places = {}
        for i in drawn:  # the first of each answer, then the second of each, …
            places[i] = turns[self.examples[i].answer]
            turns[self.examples[i].answer] += 1
        return sorted(drawn, key=places.__getitem__)


def _said(answer: str) -> dict[str, Any]:
    return {"role": "assistant", "content": answer}


def _example(record: Record) -> _Example:
    reference = next(iter(record.references()), None)
    if reference is None or reference == "":
        raise UserError("has no answer to show", where=record.where)
    is_text = isinstance(reference, str)
    answer = reference if is_text else json.dumps(reference, ensure_ascii=False)
    asked = prompt_of(record)
    turns: list[dict[str, Any]] = [{"role": "user", "content": asked}]
    if "messages" in record:
        turns = [turn for turn in record.prompt() if turn["role"] != "system"]
    return _Example(turns, asked, answer)
