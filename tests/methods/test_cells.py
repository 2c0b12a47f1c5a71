"""Every objective by every method: two steps, saved, reloaded, asked and merged, or refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from instructune.answering.roles import role_of
from instructune.configs import TrainConfig
from instructune.errors import Exit
from instructune.fetching.modelfiles import resolve
from instructune.methods import methods
from instructune.models import load_model
from instructune.rundir import RunDir
from instructune.training.trainer import evaluate
from tests.method_cases import IDS, assert_near, refused
from tests.objective_cases import CASES, ObjectiveCase
from tests.objectives.asked import answers
from tests.tuning import train_run, work_of, write_rows

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
NO_BIAS = "method 'bitfit' does not fit llama models: no layer has a bias"
NO_END = "does not fit llama models: as classifiers these look for the end of a text in its tokens"
# what makes no sense: the exit code is that of a model that does not fit
REFUSED = {
    ("sft", "bitfit"): NO_BIAS,
    ("clm", "bitfit"): NO_BIAS,
    ("classify-decoder", "bitfit"): NO_BIAS,
    ("seq2seq", "bitfit"): NO_BIAS.replace("llama", "t5"),
    ("classify-decoder", "prompt"): f"method 'prompt' {NO_END}",
    ("classify-decoder", "ptuning"): f"method 'ptuning' {NO_END}",
}


def cells() -> list[Any]:
    """All of them; by default one in six, so that every method has its turn."""
    found = []
    for number, method in enumerate(methods.names()):
        for place, name in enumerate(CASES):
            in_turn = (number + place) % 6 == 0
            quick = in_turn or (name, method) in REFUSED
            marks = [] if quick else [pytest.mark.slow]
            found.append(pytest.param(name, method, marks=marks, id=f"{name}-{method}"))
    return found


@pytest.mark.parametrize(("name", "method"), cells())
def test_a_cell(name: str, method: str, tmp_path: Path) -> None:
    if method in ("qlora", "loftq"):
        pytest.importorskip("bitsandbytes")
    case = CASES[name]
    write_rows(tmp_path / "data.jsonl", case.rows())
    spec = f"{method}:{SMALL[method]}" if method in SMALL else method
    given = case.settings | {"method": spec, "steps": 2}

    def train() -> None:
        data = str(tmp_path / "data.jsonl")
        train_run(tmp_path, **given, eval_data=data, learning_rate=1e-2, warmup=0.0)

    if (name, method) in REFUSED:
        with refused(Exit.MISMATCH, REFUSED[name, method]):
            train()
        assert not (tmp_path / "run/run.json").exists()
        return
    train()
    check_answers(tmp_path, case)
    check_weights(tmp_path, given, methods[method])


def check_answers(folder: Path, case: ObjectiveCase) -> None:
    """Each record is answered in the objective's kind."""
    asked = case.rows()
    if case.objective == "mlm":
        asked = [row | {"text": row["text"].replace("abc", "[MASK]c", 2)} for row in asked]
    found = answers(folder, asked, max_new_tokens=4, threads=1)
    assert [row["id"] for row in found] == [row["id"] for row in asked]
    assert {row["finish_reason"] for row in found} <= {"stop", "length"}
    for row in found:
        told = row["prediction"]
        if case.objective in ("classify", "pair"):
            assert told == max(row["label_scores"], key=row["label_scores"].__getitem__)
            assert row["label_scores"].keys() == {"x", "y", "z"}
        elif case.objective == "tag":
            assert len(told) == 3
            assert set(told) <= {"O", "B-place"}
        elif case.objective == "embed":
            assert math.hypot(*told) == pytest.approx(1, abs=1e-5)
        else:
            assert isinstance(told, str)
            assert "[MASK]" not in told


def check_weights(folder: Path, given: dict[str, Any], method: Any) -> None:
    """It is another model than before, and the one that was evaluated; merged it is the same."""
    run = folder / "run"
    files = resolve(str(run))
    head = role_of(files).head
    plain = load_model(resolve(given["model"]), dtype=torch.float32, head=head)
    trained = load_model(files, dtype=torch.float32, head=head)
    assert (logits(trained) - logits(plain)).abs().max() > 1e-4
    data = str(folder / "data.jsonl")
    work = work_of(TrainConfig((data,), output=str(folder / "x"), eval_data=data, **given))
    assert work.eval_data
    found = evaluate(trained, work.eval_data, work.objective.loss(trained), work.pad_id)
    event = RunDir(run).events()[-1]
    assert (event["event"], event["step"]) == ("eval", 2)
    assert found == pytest.approx(event["eval_loss"], rel=1e-5)
    if not method.ADAPTER:
        return
    if method.MERGES:
        merged = load_model(files.as_base(), dtype=torch.float32, head=head)
        assert_near(logits(merged), logits(trained), 1e-5)
    else:
        with refused(Exit.MISMATCH, "its adapter is no change of weights"):
            load_model(files.as_base(), dtype=torch.float32, head=head)


def logits(model: Any) -> torch.Tensor:
    """Of one text, at its own tokens; of an encoder its last states."""
    told = {"decoder_input_ids": IDS[:1]} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        found = model(input_ids=IDS[:1], **told)
    scores: torch.Tensor = (found.logits if "logits" in found else found.last_hidden_state).float()
    return scores[:, -IDS.shape[1] :] if scores.ndim == 3 else scores


def test_the_cells_that_make_no_sense_are_cells() -> None:
    assert all(name in CASES and method in methods.names() for name, method in REFUSED)
