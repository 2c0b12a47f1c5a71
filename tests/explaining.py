"""What the tests of explainers share: a tiny model as a source, and a case."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from instructune.architectures import Head
from instructune.attribution.explaining import Case
from instructune.explainers import explainers
from instructune.fetching.modelfiles import resolve
from instructune.models import load_model
from instructune.objectives import objectives
from instructune.records import Record
from instructune.tokenizer import Tokenizer
from instructune.training.goals import Given, Target
from tests.generating import tiny

PROMPT = [257, *b"what is up", 258]


def source(name: str = "tiny-llama") -> Any:
    """A model with its tokenizer, as a backend shows them to an explainer."""
    model = tiny(name, spread=0.1)
    tokenizer, told = Tokenizer(resolve(name).tokenizer), []
    return SimpleNamespace(
        tokenizer=tokenizer, model=model, limit=40, notify=told.append, told=told, answers=None
    )


def case(answer: bytes = b"owl", text: str = "what is up") -> Case:
    """A prediction to explain."""
    messages = [{"role": "user", "content": text}]
    return Case(Record(id="1", messages=messages), PROMPT, [*answer], answer.decode())


def explain(spec: str, of: Any, asked: Case | None = None) -> dict[str, Any]:
    """What the explainer of a spec says."""
    _, module, options = explainers.configure(spec)
    return module.Explainer(options, of)(asked or case())


def headed(objective: str, head: Head, name: str = "tiny-bert", **facts: Any) -> Any:
    """A model with a head of random weights, which answers without writing."""
    torch.set_num_threads(1)
    files = resolve(name)
    model = load_model(files, dtype=torch.float32, head=head)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, 0.2)
    tokenizer = Tokenizer(files.tokenizer)
    answers = objectives[objective].Answers(facts, Given(tokenizer, 64, stored=head, pad_id=256))
    return SimpleNamespace(
        tokenizer=tokenizer, model=model, limit=64, notify=lambda event: None, answers=answers
    )


def answered(of: Any, record: dict[str, Any]) -> tuple[Any, Target | None]:
    """The fields that the model answers a record with, and what stands for the answer."""
    asked = Record({"id": "1"} | record)
    rows = of.answers.rows(asked)
    with torch.inference_mode():
        parts = of.answers.of(of.model, rows, 256)
    return of.answers.joined(asked, parts), of.answers.target(asked, rows, parts)


def chosen(target: Target | None) -> Case:
    """What explains such an answer is asked."""
    assert target
    return Case(Record(id="1", text="x"), target.row.ids, [], "x", target)
