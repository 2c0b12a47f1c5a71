"""A smoke training, command to exit, against the command lines of TRL and LLaMA-Factory.

LoRA of rank 8 on a random 2-layer Llama of width 64 with SmolLM2's tokenizer, 8 steps of 4 rows.
LLaMA-Factory cannot share an environment with this stack: `BENCH_LLAMAFACTORY` names its command.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.bench.measure import TUNE, line
from tests.bench.measure import run as run_command

_TRAIN = ["--steps", "8", "--batch-size", "4", "--train-on", "last"]


def run(rounds: int = 3) -> dict[str, Any]:
    """Rounds of each command in turn."""
    with tempfile.TemporaryDirectory() as folder:
        model, records = _model(Path(folder)), _records(Path(folder))
        commands = {
            "ours": _ours(model, records, folder),
            "trl": _trl(model, records, folder),
        }
        if llamafactory := os.environ.get("BENCH_LLAMAFACTORY"):
            commands["llamafactory"] = _llamafactory(llamafactory, model, records, folder)
        walls: dict[str, list[float]] = {name: [] for name in commands}
        inside = []
        for _ in range(rounds):
            for name, command in commands.items():
                shutil.rmtree(Path(folder, name), ignore_errors=True)
                usage = run_command(command)
                walls[name].append(usage.wall)
                if name == "ours":
                    inside.append(json.loads(usage.output)["seconds"])
    seconds = {name: statistics.median(values) for name, values in walls.items()}
    ratios = {
        f"ratio_to_{name}": statistics.median(
            a / b for a, b in zip(walls["ours"], walls[name], strict=True)
        )
        for name in commands
        if name != "ours"
    }
    return line("smoke", **seconds, **ratios, ours_after_imports=statistics.median(inside))


def _model(folder: Path) -> str:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from instructune.fetching.modelfiles import resolve
    from instructune.tokenizer import Tokenizer

    source, target = resolve("smollm2-135m").folder, folder / "model"
    base = json.loads((source / "config.json").read_text())
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=base["vocab_size"],
        hidden_size=64,
        intermediate_size=176,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        bos_token_id=base["bos_token_id"],
        eos_token_id=base["eos_token_id"],
        pad_token_id=base["pad_token_id"],
    )
    LlamaForCausalLM(config).save_pretrained(target)
    Tokenizer(source).save(target)
    return str(target)


def _records(folder: Path) -> str:
    """32 rows of GSM8K where `BENCH_DATA` names them, else of the samples."""
    from tests.bench.training import write_records

    path = folder / "records.jsonl"
    write_records(path, 32)
    return str(path)


def _ours(model: str, records: str, folder: str) -> list[str]:
    given = ["-m", model, "-o", f"{folder}/ours", "--method", "lora:rank=8,alpha=16"]
    return [*TUNE, "train", records, *given, *_TRAIN]


def _trl(model: str, records: str, folder: str) -> list[str]:
    rows = [json.loads(row) for row in Path(records).read_text(encoding="utf-8").splitlines()]
    data = Path(folder, "trl-data")
    data.mkdir()
    with (data / "train.jsonl").open("w", encoding="utf-8") as out:
        for row in rows:
            pair = {"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}
            out.write(json.dumps(pair) + "\n")
    options = (
        f"--model_name_or_path {model} --dataset_name {data} --output_dir {folder}/trl "
        "--max_steps 8 --per_device_train_batch_size 4 --use_peft --lora_r 8 --lora_alpha 16 "
        "--lora_target_modules all-linear --bf16 false --gradient_checkpointing false "
        "--use_cpu true --report_to none --save_strategy no --learning_rate 2e-4"
    )
    return [str(Path(sys.executable).with_name("trl")), "sft", *options.split()]


def _llamafactory(command: str, model: str, records: str, folder: str) -> list[str]:
    rows = [json.loads(row) for row in Path(records).read_text(encoding="utf-8").splitlines()]
    data = Path(folder, "lf-data")
    data.mkdir()
    chats = [{"messages": row["messages"]} for row in rows]
    (data / "rows.json").write_text(json.dumps(chats))
    tags = {
        "role_tag": "role",
        "content_tag": "content",
        "user_tag": "user",
        "assistant_tag": "assistant",
        "system_tag": "system",
    }
    info = {
        "file_name": "rows.json",
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": tags,
    }
    (data / "dataset_info.json").write_text(json.dumps({"rows": info}))
    settings = {
        "model_name_or_path": model,
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "lora",
        "lora_rank": 8,
        "lora_target": "all",
        "dataset": "rows",
        "dataset_dir": str(data),
        "template": "chatml",
        "output_dir": f"{folder}/llamafactory",
        "max_steps": 8,
        "per_device_train_batch_size": 4,
        "learning_rate": 2e-4,
        "report_to": "none",
        "save_strategy": "no",
    }
    path = Path(folder, "llamafactory.yaml")  # JSON is YAML, and its JSON reader fails
    path.write_text(json.dumps(settings))
    return [command, "train", str(path)]


if __name__ == "__main__":
    run()
