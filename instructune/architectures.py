"""What a model's top gives: next tokens, labels, tags, vectors; told by its config.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# the ends of the class names that transformers writes as `architectures`, longest first
_ENDS = {
    "ForConditionalGeneration": "seq2seq",
    "ForSequenceClassification": "sequence",
    "ForTokenClassification": "token",
    "ForMaskedLM": "masked",
    "ForCausalLM": "causal",
    "LMHeadModel": "causal",
    "Model": "encoder",
}
IN_WORDS = {
    "causal": "a causal language model",
    "seq2seq": "an encoder-decoder",
    "sequence": "a classifier of texts",
    "token": "a classifier of tokens",
    "masked": "a masked language model",
    "encoder": "an encoder",
}
TASKS = {  # what peft calls them
    "causal": "CAUSAL_LM",
    "seq2seq": "SEQ_2_SEQ_LM",
    "sequence": "SEQ_CLS",
    "token": "TOKEN_CLS",
    "masked": "FEATURE_EXTRACTION",
    "encoder": "FEATURE_EXTRACTION",
}


@dataclass(frozen=True)
class Head:
    """The top of a model.

    `kind` is one of `IN_WORDS`; `labels` are those of a classifier, in the order of its outputs.
    `problem` is transformers' `problem_type`; `pad_id` is what a classifier on a decoder tells
    the end of a text by.
    """

    kind: str = "causal"
    labels: tuple[str, ...] = ()
    problem: str | None = None
    pad_id: int | None = None

    def extends(self, before: Head) -> bool:
        """Whether it has the outputs of the one before, and only new ones behind them."""
        old = before.labels
        alike = self.kind == before.kind and before.problem in (None, self.problem)
        return alike and self.labels[: len(old)] == old and bool(old or not self.labels)

    def settings(self) -> dict[str, Any]:
        """What of it stands in config.json."""
        found: dict[str, Any] = {}
        if self.kind in ("sequence", "token"):
            found["num_labels"] = len(self.labels)
            found["id2label"] = dict(enumerate(self.labels))
            found["label2id"] = {label: i for i, label in enumerate(self.labels)}
        if self.problem:
            found["problem_type"] = self.problem
        if self.pad_id is not None:
            found["pad_token_id"] = self.pad_id
        return found


def kind_of(name: str) -> str:
    """The kind of head of a class of transformers; a name that says none is a causal one's."""
    return next((kind for end, kind in _ENDS.items() if name.endswith(end)), "causal")


def stored_head(config: Mapping[str, Any]) -> Head:
    """The head that the weights beside a config.json have; of a type that says none, causal."""
    names = [name for name in config.get("architectures") or () if isinstance(name, str)]
    kind = kind_of(next(iter(names), ""))
    if kind not in ("sequence", "token"):
        return Head(kind)
    table = config.get("id2label") or {}
    labels = tuple(str(table[key]) for key in sorted(table, key=int))
    problem = config.get("problem_type")
    return Head(kind, labels, problem if isinstance(problem, str) else None)


def start_id(config: Any) -> int:
    """The token that stands before every output of an encoder-decoder."""
    names = ("decoder_start_token_id", "bos_token_id", "pad_token_id")
    told = (getattr(config, name, None) for name in names)
    return int(next((one for one in told if one is not None), 0))
