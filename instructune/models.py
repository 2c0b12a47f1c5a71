"""Model files in, a torch model out and back: nothing missing, nothing ignored, nothing run."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto import modeling_auto as names
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from instructune import quantization
from instructune.adapters import with_adapter
from instructune.architectures import IN_WORDS, TASKS, Head, stored_head
from instructune.errors import Exit, UserError
from instructune.fetching import modelconfigs
from instructune.fetching.modelfiles import ModelFiles
from instructune.libraries import check_nothing, naming_failures, quiet
from instructune.merging import merged

_MAPPINGS: dict[str, tuple[Any, Mapping[str, Any]]] = {
    "causal": (AutoModelForCausalLM, names.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
    "seq2seq": (AutoModelForSeq2SeqLM, names.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES),
    "sequence": (
        AutoModelForSequenceClassification,
        names.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES,
    ),
    "token": (
        AutoModelForTokenClassification,
        names.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES,
    ),
    "masked": (AutoModelForMaskedLM, names.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
    "encoder": (AutoModel, names.MODEL_MAPPING_NAMES),
}


def load_model(
    files: ModelFiles,
    *,
    dtype: torch.dtype,
    seed: int = 0,
    device: str = "cpu",
    head: Head | None = None,
    trainable: bool = False,
) -> PreTrainedModel:
    """A model with the given head in evaluation mode, with its adapter where it has one.

    Presets get random weights from `seed` (those under a run's adapter from the run's own), the
    same in every dtype, and so does what a head has that the files do not hold. torch's own
    generator is left as it was. Without `head` the model is a causal one. An adapter asks for
    gradients where it is `trainable`; those below it are worked into the weights. Where an
    adapter was trained on a quantised model the model is quantised too. Raises UserError (78)
    where a tensor is missing, left over or of another shape.
    """
    head = head or Head()
    model: Any
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed if files.seed is None else files.seed)
        if files.layers:
            model = _with_head(files, _with_layers(files, device), head)
            as_dtype(model, dtype)
        else:
            model = _plain_model(files, head, dtype)
        model.to(device)
        if files.adapter:
            quantization.restore(model, files.adapter)
            model = with_adapter(model, files.adapter, TASKS[head.kind], trainable=trainable)
    return model.to(device).eval()


def _with_layers(files: ModelFiles, device: str) -> Any:
    """The model with the work of all lower adapters in its weights, each with the head it had.

    In float32: an update may be less than a step between two bfloat16 numbers.
    """
    model: Any = _plain_model(files, files.layers[0].head, torch.float32)
    for folder, head in files.layers:
        model = _with_head(files, model, head).to(device)
        quantization.restore(model, folder, plain=True)
        model = merged(with_adapter(model, folder, TASKS[head.kind]), str(folder))
    return model


def _plain_model(files: ModelFiles, head: Head, dtype: torch.dtype) -> PreTrainedModel:
    """The model without any adapter."""
    if files.random:
        return _random_model(_config(files, head), head, dtype)
    stored = stored_head(modelconfigs.read_config(files.folder))
    if head.extends(stored) and stored.labels != head.labels:
        model = _stored_model(files, _config(files, stored), stored, dtype)
        return cast("PreTrainedModel", _with_head(files, model, head))
    return _stored_model(files, _config(files, head), head, dtype)


def _config(files: ModelFiles, head: Head) -> PreTrainedConfig:
    document, where = modelconfigs.read_config(files.folder), str(files.folder / "config.json")
    kind = document["model_type"]
    if kind not in CONFIG_MAPPING:
        raise UserError(
            f"transformers {transformers.__version__} knows no model_type {kind!r}",
            where=where,
            code=Exit.MISMATCH,
        )
    if reason := _misfit(document, head):
        raise UserError(reason, where=where, code=Exit.MISMATCH)
    with quiet(), naming_failures(where):
        return AutoConfig.from_pretrained(
            files.folder, local_files_only=True, trust_remote_code=False, **head.settings()
        )


def _misfit(document: Mapping[str, Any], head: Head) -> str | None:
    """Why a model of this config cannot have the head, if it cannot."""
    kind, stored = document["model_type"], document.get("architectures") or []
    wanted = _MAPPINGS[head.kind][1].get(kind)
    if head.kind != "causal":
        return None if wanted else f"transformers has no {kind} model as {IN_WORDS[head.kind]}"
    is_encoder = (
        kind in names.MODEL_FOR_MASKED_LM_MAPPING_NAMES and not document.get("is_decoder")
    ) or kind in names.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    if wanted is None or is_encoder or not _names_any(stored, wanted):
        what = f"{kind} encoder" if is_encoder else kind
        named = ", ".join(map(str, stored)) or "no architecture named"
        return f"is a {what} ({named}), not a causal language model"
    return None


def _names_any(stored: list[Any], causal: str | Iterable[str]) -> bool:
    known = {causal} if isinstance(causal, str) else set(causal)
    return not stored or any(name in known for name in stored)


def _random_model(config: PreTrainedConfig, head: Head, dtype: torch.dtype) -> PreTrainedModel:
    # drawn in float32 and rounded: the same model in every dtype
    return as_dtype(_MAPPINGS[head.kind][0].from_config(config, dtype=torch.float32), dtype)


def as_dtype(model: Any, dtype: torch.dtype) -> Any:
    """The model with its stored tensors in `dtype`.

    What it computes with beside them, such as the frequencies of rotary positions, stays as exact
    as it is in a model that is loaded.
    """
    kept = [
        (module, name, buffer)
        for module in model.modules()
        for name, buffer in module.named_buffers(recurse=False)
        if name in module._non_persistent_buffers_set
    ]
    model.to(dtype)
    for module, name, buffer in kept:
        setattr(module, name, buffer)
    return model


def _stored_model(
    files: ModelFiles, config: PreTrainedConfig, head: Head, dtype: torch.dtype
) -> PreTrainedModel:
    where = str(files.folder)
    with naming_failures(where):
        loaded: Any = _MAPPINGS[head.kind][0].from_pretrained(
            files.folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # only to have them listed: they are refused below
            output_loading_info=True,
        )
    model, info = loaded
    is_new = _is_new(modelconfigs.read_config(files.folder), head)
    body = _body(model) if is_new else None
    for key, what in (
        ("mismatched_keys", "tensors of another shape than config.json says"),
        ("missing_keys", "tensors missing"),
        ("unexpected_keys", "tensors the model has no place for"),
    ):
        check_nothing([k for k in info[key] if body is None or _is_in(k, body)], what, where)
    return model


def _is_new(document: Mapping[str, Any], head: Head) -> bool:
    """Whether the head is another one than the files hold, so that its tensors are drawn."""
    stored = stored_head(document)
    return stored.kind != head.kind or stored.labels != head.labels


def _with_head(files: ModelFiles, model: Any, head: Head) -> Any:
    """The model with this head: its own where that is the one, else one that is drawn.

    A head that only has more labels than its own keeps what it learned of those.
    """
    config: Any = _config(files, head)
    stored = model.config.to_dict() | {"architectures": [type(model).__name__]}
    old = stored_head(stored)
    if head.extends(old) and old.labels == head.labels:
        model.config.pad_token_id = config.pad_token_id
        return model
    found: Any = _random_model(config, head, model.dtype)
    below = found.base_model.load_state_dict(model.base_model.state_dict(), strict=False)
    lost = [name for name in below.missing_keys if ".pooler." not in f".{name}"]
    check_nothing(lost, "tensors missing", str(files.folder))
    if head.extends(old):
        _keep_top(model, found)
    return found


@torch.no_grad()
def _keep_top(old: Any, new: Any) -> None:
    """Put a smaller head into a larger one: the first rows of each matrix, or all of it."""
    tensors = new.state_dict()
    for name, tensor in old.state_dict().items():
        wanted = tensors[name]
        if wanted.shape[1:] == tensor.shape[1:]:
            wanted[: len(tensor)] = tensor


def _body(model: PreTrainedModel) -> set[str]:
    """What names of tensors below the head begin with; poolers count as part of the head."""
    parts = {name for name, _ in model.base_model.named_children()} - {"pooler"}
    return parts if model.base_model is model else {model.base_model_prefix, *parts}


def _is_in(key: Any, body: set[str]) -> bool:
    name = key if isinstance(key, str) else key[0]
    return name.partition(".")[0] in body and ".pooler." not in name


def save_model(model: PreTrainedModel, folder: Path, dtype: torch.dtype) -> None:
    """Write config.json and model.safetensors (or shards), floating tensors as `dtype`."""
    config = model.config
    before = config.dtype, config.use_cache
    try:
        with quiet():
            model.save_pretrained(folder, state_dict=_cast(model.state_dict(), dtype))
            # as stored, not as computed; and with the cache that training had switched off
            config.dtype, config.use_cache = dtype, True
            config.save_pretrained(folder)
    finally:
        config.dtype, config.use_cache = before
    for path in folder.glob("*.safetensors"):
        shutil.copymode(folder / "config.json", path)  # it is created readable to the owner alone


def _cast(tensors: dict[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Each tensor once: names that share memory still share it, and are written once."""
    done: dict[tuple[object, ...], torch.Tensor] = {}
    for name, tensor in tensors.items():
        key = tensor.data_ptr(), tensor.shape, tensor.stride()
        if key not in done:
            wanted = dtype if tensor.is_floating_point() else tensor.dtype
            done[key] = tensor.detach().to(device="cpu", dtype=wanted)
        tensors[name] = done[key]
    return tensors
