"""`--dry-run`: everything told, nothing written, and an estimate that is near the truth."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from instructune.configs import TrainConfig
from instructune.training import rehearsal
from tests.tuning import chats, train_run, write_rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_rows(tmp_path / "data.jsonl", chats(10))
    return tmp_path


def test_everything_is_told_and_nothing_written(folder: Path) -> None:
    report = train_run(folder, dry_run=True, method="lora:rank=4", max_length=37, overflow="drop")
    assert [p.name for p in folder.iterdir()] == ["data.jsonl"]
    resolved = report["resolved"]
    assert resolved["steps"] == 6  # 3 epochs of 8 rows in steps of 4
    assert resolved["learning_rate"] == 1e-3
    assert resolved["max_length"] == 37
    assert resolved["dtype"] == "float32"
    assert resolved["threads"] == 1
    assert report["rows"] == 8
    assert report["dropped"] == [f"{folder}/data.jsonl:{line}" for line in (5, 10)]
    assert report["counts"]["encoding"]["longer than --max-length, dropped"] == 2
    assert report["longest_row"] == 37
    # 23 tokens with the shortest question and answer, both of one character
    rows = [(23 + 4 * (i % 5) + i % 3, 2 + i % 3) for i in range(10) if i % 5 < 4]
    assert report["tokens_an_epoch"] == sum(tokens for tokens, _ in rows)
    learned_tokens = sum(learned for _, learned in rows)
    assert report["learned_an_epoch"] == {"of": "tokens", "number": learned_tokens}
    assert report["estimated_tokens"] == 3 * report["tokens_an_epoch"]
    assert report["trainable_share"] == round(
        resolved["trainable_parameters"] / resolved["parameters"], 6
    )
    assert 0 < report["trainable_share"] < 0.2
    assert report["fingerprints"].keys() == {"data", "model", "tokenizer"}
    assert report["decision"] == "start"
    assert report["estimated_seconds"] > 0
    text = "".join(token for token, _ in report["mask"])
    assert text == "<|im_start|>userĊ1<|im_end|>Ċ<|im_start|>assistantĊ1<|im_end|>Ċ"
    assert [token for token, learned in report["mask"] if learned] == ["1", "<|im_end|>"]


@pytest.mark.parametrize(
    ("model", "objective", "learned", "hidden"),
    [
        ("tiny-t5", "seq2seq", "1<|im_end|>", "1<|im_end|>"),
        ("tiny-bert", "classify", "", "[CLS]1[SEP]"),
        ("tiny-bert", "mlm", "", "[CLS]1[SEP]"),  # a share of its tokens, others each time
    ],
)
def test_what_is_learned_of_a_row_with_an_output_and_of_one_with_a_label(
    folder: Path, model: str, objective: str, learned: str, hidden: str
) -> None:
    report = train_run(folder, dry_run=True, model=model, objective=objective)
    assert "".join(token for token, is_learned in report["mask"] if is_learned) == learned
    assert "".join(token for token, is_learned in report["mask"] if not is_learned) == hidden
    of = "tokens" if learned else "rows"
    assert report["learned_an_epoch"] == {
        "of": of,
        "number": 10 + sum(i % 3 + 1 for i in range(10)) if learned else 10,
    }


def test_it_says_what_would_become_of_the_run_that_is_there(folder: Path) -> None:
    train_run(folder, steps=2)
    assert train_run(folder, steps=2, dry_run=True)["decision"] == "nothing"
    assert train_run(folder, steps=4, dry_run=True)["decision"] == "resume"
    assert train_run(folder, steps=1, dry_run=True, overwrite=True)["decision"] == "start"
    before = sorted((p, p.stat().st_mtime_ns) for p in folder.rglob("*"))
    train_run(folder, steps=4, dry_run=True, overwrite=True)
    assert sorted((p, p.stat().st_mtime_ns) for p in folder.rglob("*")) == before


MEASURED = """
import json, sys
from instructune.stages.train import train
from instructune.configs import TrainConfig
report = train(TrainConfig(**json.loads(sys.argv[1])), lambda event: None)
print(json.dumps(report))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "dtype", "longer"),
    [("full", "float32", 12), ("lora", "float32", 12), ("full", "bfloat16", 1)],
)
def test_the_estimates_are_near_the_truth(
    folder: Path, method: str, dtype: str, longer: int
) -> None:
    """A model big enough to stand out from the libraries: 13 million parameters."""
    rows = chats(16)
    for row in rows:
        row["messages"][0]["content"] *= longer
    write_rows(folder / "data.jsonl", rows)
    given: dict[str, Any] = {
        "data": [str(folder / "data.jsonl")],
        "model": a_larger_model(folder),
        "output": str(folder / "run"),
        "steps": 4,
        "dtype": dtype,
        "threads": 1,
        "method": method,
    }
    reports = []
    for more in ({"dry_run": True}, {}):
        command = [sys.executable, "-c", MEASURED, json.dumps(given | more)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0, result.stderr
        reports.append(json.loads(result.stdout))
    estimate, truth = reports
    ratio = estimate["estimated_memory"] / truth["peak_memory"]
    print(f"memory {ratio:.2f}", estimate["estimated_seconds"], truth["training_seconds"])
    assert estimate["estimated_memory"] == pytest.approx(truth["peak_memory"], rel=0.25)
    assert truth["training_seconds"] / 3 < estimate["estimated_seconds"]
    assert estimate["estimated_seconds"] < truth["training_seconds"] * 3
    assert estimate["estimated_tokens"] == pytest.approx(truth["tokens"], rel=0.1)


def a_larger_model(folder: Path) -> str:
    from transformers import LlamaConfig, LlamaForCausalLM

    from instructune.fetching.modelfiles import resolve
    from instructune.tokenizer import Tokenizer

    config = LlamaConfig(
        vocab_size=260,
        hidden_size=512,
        num_hidden_layers=4,
        num_attention_heads=8,
        intermediate_size=1376,
        max_position_embeddings=4096,
    )
    LlamaForCausalLM(config).save_pretrained(folder / "model")
    Tokenizer(resolve("tiny-llama").folder).save(folder / "model")
    return str(folder / "model")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({}, 8), ({"optimizer": "lion:beta1=0.8"}, 4), ({"optimizer": "adafactor", "ema": 0.9}, 4)],
    ids=str,
)
def test_what_the_first_step_will_remember(settings: dict[str, Any], expected: int) -> None:
    assert rehearsal._bytes_to_come(TrainConfig(**settings)) == expected
