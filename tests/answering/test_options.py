"""options: a setting that a model cannot heed is refused, whatever else is set."""

from __future__ import annotations

from typing import Any

import pytest

from instructune.answering.options import check_options
from instructune.answering.roles import Role
from instructune.architectures import Head
from instructune.configs import GenerateConfig
from instructune.errors import Exit, UserError
from instructune.objectives import objectives

SET: dict[str, dict[str, Any]] = {
    "--temperature": {"temperature": 1.0},
    "--stop": {"stop": ("x",)},
    "--logprobs": {"logprobs": True},
    "--score-references": {"score_references": True},
    "--label-scores": {"label_scores": "a,b"},
    "--explain": {"explain": "gradient"},
}


def check(objective: str, kind: str, flag: str) -> None:
    config = GenerateConfig(prompt=("x",), **SET[flag])
    check_options(config, Role(objective, Head(kind), {}), objectives[objective], "that one")


def refused(objective: str, kind: str, flag: str) -> UserError:
    with pytest.raises(UserError) as caught:
        check(objective, kind, flag)
    assert (caught.value.code, caught.value.where) == (Exit.USAGE, flag)
    return caught.value


@pytest.mark.parametrize("flag", SET)
def test_models_that_write_take_all(flag):
    check("sft", "causal", flag)
    check("clm", "causal", flag)
    check("seq2seq", "seq2seq", flag)


@pytest.mark.parametrize("flag", SET)
@pytest.mark.parametrize(("objective", "kind"), [("mlm", "masked"), ("embed", "encoder")])
def test_others_write_no_text(objective, kind, flag):
    assert "that one is a" in refused(objective, kind, flag).reason


def test_a_classifier_tells_its_scores_unasked():
    error = refused("classify", "sequence", "--label-scores")
    assert error.reason == "is for models that write text: that one is a classifier of texts"
    assert str(error.hint).startswith("leave it out")


@pytest.mark.parametrize(("objective", "kind"), [("classify", "sequence"), ("tag", "token")])
def test_labels_and_tags_are_explained(objective, kind):
    check(objective, kind, "--explain")


def test_what_cannot_be_explained():
    assert refused("embed", "encoder", "--explain").reason == (
        "is for texts, labels, tags and numbers: that one is an encoder"
    )
