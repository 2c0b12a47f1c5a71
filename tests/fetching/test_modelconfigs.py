"""Config files are data: whatever could name code is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from instructune.errors import Exit, UserError
from instructune.fetching.modelconfigs import identity, read_config, read_document


def written(folder: Path, document: object) -> Path:
    path = folder / "config.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


HOSTILE = [
    {"auto_map": {"AutoModelForCausalLM": "modeling.Evil"}},
    {"trust_remote_code": True},
    {"trust_remote_code": False},
    {"text_config": {"trust_remote_code": True}},
    {"layers": [{"deep": [{"auto_map": {}}]}]},
    {"_attn_implementation_internal": "sdpa"},
    {"_experts_implementation_internal": "x"},
    {"_attn_implementation": "someone/kernel"},
    {"attn_implementation": "flash_attention_2"},
    {"attn_implementation": {"": "someone/kernel"}},
    {"experts_implementation": "someone/kernel"},
    {"text_config": {"_attn_implementation": "someone/kernel:v1"}},
    {"custom_pipelines": {"x": {"impl": "x.Y"}}},
    {"_something_of_tomorrow": 1},
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=json.dumps)
def test_keys_that_name_code_are_refused(tmp_path: Path, hostile: dict[str, object]) -> None:
    path = written(tmp_path, {"model_type": "llama", **hostile})
    with pytest.raises(UserError) as caught:
        read_document(path)
    assert caught.value.code is Exit.MISMATCH
    assert caught.value.where == str(path)


def test_harmless_keys_pass(tmp_path: Path) -> None:
    config = {
        "model_type": "llama",
        "_name_or_path": "x/y",
        "_attn_implementation": "eager",
        "_attn_implementation_autoset": True,
        "attn_implementation": None,
        "_sliding_window_pattern": 6,
        "id2label": {"0": "_private"},
        "label2id": {"_private": 0, "auto_map": 1},
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0},
        "never_heard_of": [1, 2],
    }
    assert read_config_of(tmp_path, config) == config


def read_config_of(folder: Path, document: object) -> dict[str, object]:
    written(folder, document)
    return read_config(folder)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", Exit.BAD_DATA),
        ('{"a": 1, "a": 2}', Exit.BAD_DATA),
        ('{"a": NaN}', Exit.BAD_DATA),
        ("[" * 5000, Exit.BAD_DATA),
        ("[]", Exit.MISMATCH),
        ("{}", Exit.MISMATCH),
        ('{"model_type": 3}', Exit.MISMATCH),
    ],
)
def test_what_is_no_config_is_refused(tmp_path: Path, text: str, code: Exit) -> None:
    with pytest.raises(UserError) as caught:
        read_config_of(tmp_path, text)
    assert caught.value.code is code


def test_a_missing_config_is_66(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no config\.json") as caught:
        read_config(tmp_path)
    assert caught.value.code is Exit.NO_INPUT


def test_who_wrote_it_is_no_part_of_a_model() -> None:
    mine = {"hidden_size": 8, "transformers_version": "5.0", "_name_or_path": "a"}
    assert identity(mine) == {"hidden_size": 8}
