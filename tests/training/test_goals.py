"""goals: what every objective has."""

from __future__ import annotations

import dataclasses

import pytest

from instructune.architectures import IN_WORDS
from instructune.fetching.modelfiles import resolve
from instructune.objectives import objectives
from instructune.tokenizer import Tokenizer
from instructune.training.goals import Given


@pytest.mark.parametrize("name", objectives.names())
def test_an_objective_is_what_the_loop_needs(name):
    _, plug_in, options = objectives.configure(name)
    assert objectives.facts(name)["HEAD"] in IN_WORDS
    preset = {"causal": "tiny-llama", "seq2seq": "tiny-t5"}.get(plug_in.HEAD, "tiny-bert")
    given = Given(Tokenizer(resolve(preset).folder), 64)
    objective = plug_in.Objective(options, given)
    assert objective.encoding(learns=True).counts == {}
    for member in ("collate", "loss"):
        assert callable(getattr(objective, member))
    if dataclasses.is_dataclass(options):
        assert dataclasses.fields(options)
    if hasattr(plug_in, "Answers"):
        assert callable(plug_in.Answers({}, given).of)
