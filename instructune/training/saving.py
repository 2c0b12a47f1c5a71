"""A trained model to a directory that transformers or peft reads without us."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from instructune import files, rundir
from instructune.errors import UserError
from instructune.jsonl import pretty
from instructune.models import quiet, save_model
from instructune.rundir import RunDir
from instructune.training import checkpoints
from instructune.training.trainer import State

if TYPE_CHECKING:
    from instructune.configs import TrainConfig
    from instructune.training.fitting import Fit
    from instructune.training.work import Work


def save_trained(config: TrainConfig, run: RunDir, work: Work, fitted: Fit, state: State) -> None:
    """Write the best parameters, the last ones where nothing was evaluated, with tokenizer."""
    if state.best_step is not None and state.best_step != state.step:
        _take_best(run.checkpoints / checkpoints.name_of(state.best_step), fitted)
    name = rundir.ADAPTER if work.method.ADAPTER else rundir.MODEL
    with files.committed_directory(run.path / name) as folder, checkpoints.disk_errors():
        if work.method.ADAPTER:
            _save_adapter(fitted.model, folder, config.model)
        else:
            dtype = _stored_dtype(config, work)
            fitted.optimizer.promote(fitted.model, dtype)
            save_model(fitted.model, folder, dtype)
        work.tokenizer.save(folder)
        if work.role.head.kind in ("causal", "seq2seq"):
            generation = {"eos_token_id": work.stops, "pad_token_id": work.pad_id}
            (folder / "generation_config.json").write_bytes(pretty(generation))


def _take_best(path: Path, fitted: Fit) -> None:
    if reason := checkpoints.fault(path):
        raise UserError(
            f"the best checkpoint cannot be saved as the model: {reason}",
            where=str(path),
            hint="the same command goes on with the last one",
        )
    tensors, _ = checkpoints.load(path)
    fitted.optimizer.load(tensors)


def _save_adapter(model: Any, folder: Path, base: str) -> None:
    config = model.peft_config["default"]
    config.base_model_name_or_path = base
    for name, value in vars(config).items():
        if isinstance(value, set):  # its order is another in each process
            setattr(config, name, sorted(value))
    with quiet():
        model.save_pretrained(folder, save_embedding_layers=False)  # else it asks the Hub
    with suppress(FileNotFoundError):
        (folder / "README.md").unlink()  # an empty form


def _stored_dtype(config: TrainConfig, work: Work) -> torch.dtype:
    """The base's stored dtype, unless asked otherwise."""
    stored = work.model_config.get("dtype") or work.model_config.get("torch_dtype")
    return getattr(torch, config.save_dtype or stored or "float32")
