"""A trained model to a directory that transformers or peft reads without us."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save_file

from instructune import bottlenecks, files, quantization, rundir
from instructune.architectures import start_id
from instructune.errors import UserError
from instructune.jsonl import pretty
from instructune.libraries import quiet
from instructune.models import save_model
from instructune.rundir import RunDir
from instructune.training import checkpoints
from instructune.training.coaching import Coach
from instructune.training.resuming import take
from instructune.training.trainer import State

if TYPE_CHECKING:
    from instructune.configs import TrainConfig
    from instructune.training.fitting import Fit
    from instructune.training.work import Work


def save_trained(config: TrainConfig, run: RunDir, work: Work, fitted: Fit, state: State) -> None:
    """Write the best parameters, the last ones where nothing was evaluated, with tokenizer.

    Where parameters are averaged, it is the averages of that step.
    """
    if state.best_step is not None and state.best_step != state.step:
        _take_best(run.checkpoints / checkpoints.name_of(state.best_step), fitted)
    fitted.averages.take()
    name = rundir.ADAPTER if work.start.method.ADAPTER else rundir.MODEL
    with files.committed_directory(run.path / name) as folder, checkpoints.disk_errors():
        if work.start.method.ADAPTER:
            tensors = fitted.model.state_dict()
            optimizer = fitted.optimizer
            tensors |= dict(zip(optimizer.names, optimizer.masters, strict=True))
            save_adapter(fitted.model, fitted.coach, tensors, folder, work.start.base)
        else:
            dtype = _stored_dtype(config, work)
            fitted.optimizer.promote(fitted.model, dtype)
            save_model(fitted.model, folder, dtype)
        kind = work.role.head.kind
        work.tokenizer.save(folder, chats=kind == "causal")
        if kind in ("causal", "seq2seq"):
            generation: dict[str, Any] = {"eos_token_id": work.stops, "pad_token_id": work.pad_id}
            if kind == "seq2seq":
                generation["decoder_start_token_id"] = start_id(fitted.model.config)
            (folder / "generation_config.json").write_bytes(pretty(generation))


def _take_best(path: Path, fitted: Fit) -> None:
    if reason := checkpoints.fault(path):
        raise UserError(
            f"the best checkpoint cannot be saved as the model: {reason}",
            where=str(path),
            hint="the same command goes on with the last one",
        )
    tensors, _ = checkpoints.load(path)
    take(fitted, tensors)


def save_adapter(
    model: Any, coach: Coach, tensors: dict[str, torch.Tensor], folder: Path, base: str
) -> None:
    """Write adapter_config.json and adapter_model.safetensors, in float32.

    `tensors` is the model's state, which may be in more digits than the model computes in.
    """
    import peft

    if isinstance(model, peft.PeftModel):
        with quiet():  # told not to save embeddings, peft does not ask the Hub about them
            found = peft.get_peft_model_state_dict(model, tensors, save_embedding_layers=False)
        found, config = coach.stored(found, copy.copy(model.peft_config["default"]))
        config.base_model_name_or_path, config.inference_mode = base, True
        for name, value in vars(config).items():
            if isinstance(value, set):  # its order is another in each process
                setattr(config, name, sorted(value))
        config.save_pretrained(folder)
        quantization.save(model.get_base_model(), folder)
    else:
        found = bottlenecks.save_config(model, folder, tensors, base)
    path = folder / "adapter_model.safetensors"
    written = {name: _plain(tensor) for name, tensor in found.items()}
    save_file(written, path, metadata={"format": "pt"})
    shutil.copymode(folder / "adapter_config.json", path)  # created readable to the owner alone


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    """A copy that shares no memory; numbers with a point in float32."""
    kind = torch.float32 if tensor.is_floating_point() else tensor.dtype
    return tensor.detach().to("cpu", kind, copy=True).contiguous()


def _stored_dtype(config: TrainConfig, work: Work) -> torch.dtype:
    """The base's stored dtype, unless asked otherwise."""
    stored = work.model_config.get("dtype") or work.model_config.get("torch_dtype")
    return getattr(torch, config.save_dtype or stored or "float32")
