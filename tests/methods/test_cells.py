"""Every objective by every method: two steps, saved, reloaded, asked and merged, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.answering.roles import role_of
from instructune.configs import GenerateConfig
from instructune.errors import Exit
from instructune.fetching.modelfiles import resolve
from instructune.methods import methods
from instructune.models import load_model
from instructune.stages.generate import generate
from tests.method_cases import IDS, assert_near, refused
from tests.tuning import chats, train_run, write_rows

SMALL = {
    "adalora": "rank=4,target_rank=2",
    "ptuning": "hidden=8",
    "vera": "rank=8",
    "oft": "block_size=16",
    "prefix": "virtual_tokens=4",
    "prompt": "virtual_tokens=4",
    **dict.fromkeys(("pfeiffer", "houlsby"), "width=4"),
    **dict.fromkeys(
        ("lora", "rslora", "dora", "pissa", "olora", "qlora", "loftq", "loha", "lokr"), "rank=4"
    ),
}
OBJECTIVES = {
    "sft": ("sft", "tiny-llama"),
    "classify": ("classify", "tiny-bert"),
    "classify-decoder": ("classify", "tiny-llama"),
    "tag": ("tag", "tiny-bert"),
}
NO_BIAS = "method 'bitfit' does not fit llama models: no layer has a bias"
NO_END = "does not fit llama models: as classifiers these look for the end of a text in its tokens"
# what makes no sense: the exit code is that of a model that does not fit
REFUSED = {
    ("sft", "bitfit"): NO_BIAS,
    ("classify-decoder", "bitfit"): NO_BIAS,
    ("classify-decoder", "prompt"): f"method 'prompt' {NO_END}",
    ("classify-decoder", "ptuning"): f"method 'ptuning' {NO_END}",
}


def rows(objective: str) -> list[dict[str, Any]]:
    """Eight records to learn."""
    if objective == "sft":
        return chats(8)
    if objective == "classify":
        return [{"text": "ab " * (1 + i % 4) + "c" * i, "label": "xyz"[i % 3]} for i in range(8)]
    return [
        {"tokens": ["to", "Rome" * (1 + i % 3), "."], "tags": ["O", "B-place", "O"]}
        for i in range(8)
    ]


def cells() -> list[Any]:
    """All of them; by default every other method goes through one objective, in turn."""
    found = []
    for number, method in enumerate(methods.names()):
        for place, name in enumerate(OBJECTIVES):
            in_turn = number % 2 == 0 and place == number // 2 % len(OBJECTIVES)
            quick = in_turn or (name, method) in REFUSED
            marks = [] if quick else [pytest.mark.slow]
            found.append(pytest.param(name, method, marks=marks, id=f"{name}-{method}"))
    return found


@pytest.mark.parametrize(("name", "method"), cells())
def test_a_cell(name: str, method: str, tmp_path: Path) -> None:
    if method in ("qlora", "loftq"):
        pytest.importorskip("bitsandbytes")
    objective, model = OBJECTIVES[name]
    write_rows(tmp_path / "data.jsonl", rows(objective))
    spec = f"{method}:{SMALL[method]}" if method in SMALL else method
    given = {"objective": objective, "model": model, "method": spec, "steps": 2}

    def train() -> None:
        train_run(tmp_path, **given, learning_rate=1e-2, warmup=0.0)

    if (name, method) in REFUSED:
        with refused(Exit.MISMATCH, REFUSED[name, method]):
            train()
        assert not (tmp_path / "run/run.json").exists()
        return
    train()
    check_answers(tmp_path, objective)
    check_weights(tmp_path / "run", model, merges=methods[method].MERGES)


def check_answers(folder: Path, objective: str) -> None:
    """Each record is answered in the objective's kind."""
    output = str(folder / "out.jsonl")
    asked = (str(folder / "data.jsonl"),)
    config = GenerateConfig(asked, str(folder / "run"), output, max_new_tokens=4, threads=1)
    generate(config, lambda event: None)
    answers = [json.loads(line) for line in Path(output).read_text().splitlines()]
    assert len(answers) == 8
    assert {row["finish_reason"] for row in answers} <= {"stop", "length"}
    for row in answers:
        if objective == "classify":
            assert row["prediction"] in ("x", "y", "z")
            assert set(row["label_scores"]) == {"x", "y", "z"}
        else:
            assert isinstance(row["prediction"], list if objective == "tag" else str)


def logits(model: Any) -> torch.Tensor:
    """Of one text, at its own tokens."""
    with torch.no_grad():
        found: torch.Tensor = model(input_ids=IDS[:1]).logits.float()
    return found[:, -IDS.shape[1] :] if found.ndim == 3 else found


def check_weights(run: Path, model: str, *, merges: bool) -> None:
    """It is another model than before; merged it is the same one."""
    files = resolve(str(run))
    head = role_of(files).head
    plain = load_model(resolve(model), dtype=torch.float32, head=head)
    trained = load_model(files, dtype=torch.float32, head=head)
    assert (logits(trained) - logits(plain)).abs().max() > 1e-4
    if merges:
        merged = load_model(files.as_base(), dtype=torch.float32, head=head)
        assert_near(logits(merged), logits(trained), 1e-5)


def test_the_cells_that_make_no_sense_are_cells() -> None:
    assert all(name in OBJECTIVES and method in methods.names() for name, method in REFUSED)
