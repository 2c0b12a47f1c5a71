"""architectures: the head that a config.json tells of, and what of a head stands in one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from instructune.architectures import IN_WORDS, TASKS, Head, kind_of, start_id, stored_head


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("LlamaForCausalLM", "causal"),
        ("GPT2LMHeadModel", "causal"),
        ("T5ForConditionalGeneration", "seq2seq"),
        ("BertForSequenceClassification", "sequence"),
        ("BertForTokenClassification", "token"),
        ("RobertaForMaskedLM", "masked"),
        ("BertModel", "encoder"),
        ("Unheard", "causal"),
    ],
)
def test_the_kind_by_the_class(name, kind):
    assert kind_of(name) == kind
    assert stored_head({"architectures": [name]}).kind == kind


def test_labels_in_the_order_of_their_numbers():
    config = {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {"10": "k", "2": "c", "0": "a"},
        "problem_type": "multi_label_classification",
    }
    assert stored_head(config) == Head("sequence", ("a", "c", "k"), "multi_label_classification")
    assert stored_head({}) == stored_head({"architectures": None}) == Head("causal")


@pytest.mark.parametrize(
    ("told", "start"),
    [
        ({"decoder_start_token_id": 3, "bos_token_id": 5, "pad_token_id": 7}, 3),
        ({"decoder_start_token_id": None, "bos_token_id": 5, "pad_token_id": 7}, 5),
        ({"bos_token_id": None, "pad_token_id": 7}, 7),
        ({"pad_token_id": 7}, 7),
        ({}, 0),
    ],
)
def test_the_token_before_every_output(told, start):
    assert start_id(SimpleNamespace(**told)) == start


def test_what_stands_in_config_json():
    head = Head("sequence", ("no", "yes"), "single_label_classification", 7)
    assert head.settings() == {
        "num_labels": 2,
        "id2label": {0: "no", 1: "yes"},
        "label2id": {"no": 0, "yes": 1},
        "problem_type": "single_label_classification",
        "pad_token_id": 7,
    }
    assert Head("masked").settings() == {}


def test_each_kind_has_words_and_a_task():
    assert set(IN_WORDS) == set(TASKS)
