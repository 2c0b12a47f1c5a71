"""What the tests of explainers share: a tiny model as a source, and a case."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from instructune.attribution.explaining import Case
from instructune.explainers import explainers
from instructune.fetching.modelfiles import resolve
from instructune.records import Record
from instructune.tokenizer import Tokenizer
from tests.generating import tiny

PROMPT = [257, *b"what is up", 258]


def source(name: str = "tiny-llama") -> Any:
    """A model with its tokenizer, as a backend shows them to an explainer."""
    model = tiny(name, spread=0.1)
    tokenizer, told = Tokenizer(resolve(name).tokenizer), []
    return SimpleNamespace(
        tokenizer=tokenizer, model=model, limit=40, notify=told.append, told=told
    )


def case(answer: bytes = b"owl", text: str = "what is up") -> Case:
    """A prediction to explain."""
    messages = [{"role": "user", "content": text}]
    return Case(Record(id="1", messages=messages), PROMPT, [*answer], answer.decode())


def explain(spec: str, of: Any, asked: Case | None = None) -> dict[str, Any]:
    """What the explainer of a spec says."""
    _, module, options = explainers.configure(spec)
    return module.Explainer(options, of)(asked or case())
