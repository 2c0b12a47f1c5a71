"""configs: no setting takes a value that would go wrong later."""

from __future__ import annotations

import dataclasses
import inspect

import pytest

from instructune import configs
from instructune.configs import (
    GenerateConfig,
    PrepareConfig,
    ShowConfig,
    SweepConfig,
    TrainConfig,
)
from instructune.errors import UserError

ALL = [kind for _, kind in inspect.getmembers(configs, dataclasses.is_dataclass)]
NUMBERS = [
    (kind, field.name, field.type.split(" ")[0])
    for kind in ALL
    for field in dataclasses.fields(kind)
    if field.type.split(" ")[0] in ("int", "float")
]


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_a_config_is_frozen_and_its_defaults_are_valid(kind):
    config = kind()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.x = 1
    for field in dataclasses.fields(kind):
        assert getattr(kind, field.name) == getattr(config, field.name)  # readable on the class


@pytest.mark.parametrize(
    ("kind", "name", "type"), NUMBERS, ids=[f"{kind.__name__}.{name}" for kind, name, _ in NUMBERS]
)
def test_no_number_is_negative_endless_or_none_at_all(kind, name, type):
    wrong = [-1, 10**30]
    if type == "float":
        wrong = [-1.0, float("nan"), float("inf"), float("-inf")]
    for value in wrong:
        with pytest.raises(UserError) as caught:
            kind(**{name: value})
        assert caught.value.code == 2
        assert caught.value.where == "--" + name.replace("_", "-")


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (
            PrepareConfig,
            {"id": "hahs"},
            "--id: unknown value 'hahs'\n  hint: did you mean 'hash'?",
        ),
        (
            PrepareConfig,
            {"bad_rows": "quarantine"},
            "--bad-rows quarantine and --rejects FILE go together",
        ),
        (PrepareConfig, {"rejects": "r"}, "--bad-rows quarantine and --rejects FILE go together"),
        (TrainConfig, {"epochs": 0}, "--epochs: must be above 0, got 0"),
        (TrainConfig, {"steps": 0}, "--steps: must be at least 1, got 0"),
        (TrainConfig, {"warmup": 1.5}, "--warmup: must be from 0 to 1, got 1.5"),
        (TrainConfig, {"layer_decay": 1.5}, "--layer-decay: must be from 0 to 1, got 1.5"),
        (TrainConfig, {"label_smoothing": 2}, "--label-smoothing: must be from 0 to 1, got 2"),
        (TrainConfig, {"ema": 1.0}, "--ema: must be from 0 to below 1, got 1.0"),
        (TrainConfig, {"swa": 1.0}, "--swa: must be from 0 to below 1, got 1.0"),
        (
            TrainConfig,
            {"ema": 0.0, "swa": 0.0},
            "--swa: is another average than --ema; give one of them",
        ),
        (TrainConfig, {"early_stopping": 2}, "--early-stopping: needs --eval-data"),
        (GenerateConfig, {"top_p": 1.01}, "--top-p: must be from 0 to 1, got 1.01"),
        (
            SweepConfig,
            {"sampler": "tpee"},
            "--sampler: unknown value 'tpee'\n  hint: did you mean 'tpe'?",
        ),
        (SweepConfig, {"min_steps": 2}, "--min-steps: needs --pruning asha"),
        (SweepConfig, {"mode": "max"}, "--mode: a loss is minimised"),
        (
            GenerateConfig,
            {"samples": 2},
            "--samples: needs --temperature above 0: greedy samples are all equal",
        ),
        (
            GenerateConfig,
            {"explain": "gradient", "max_new_tokens": 0, "score_references": True},
            "--explain: needs answers: --max-new-tokens or --label-scores",
        ),
        (
            ShowConfig,
            {"html": "x.html", "mask": True, "model": "m"},
            "--html: shows explanations; leave --mask out",
        ),
        (
            GenerateConfig,
            {"prompt": ("q",), "data": ("f",)},
            "--prompt: is an input of its own; leave the data out",
        ),
    ],
)
def test_refused(kind, given, message):
    with pytest.raises(UserError) as caught:
        kind(**given)
    assert str(caught.value) == message
    assert caught.value.code == 2
