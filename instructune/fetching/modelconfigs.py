"""A model's JSON files as data: read strictly, refused where they could name code to run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from instructune.errors import Exit, UserError
from instructune.jsonl import load_document

# Keys with which a file of the model's author has made loaders import or fetch code, even with
# trust_remote_code off (CVE-2026-4372, CVE-2025-66448 and kin).
_CODE = {"auto_map", "trust_remote_code", "custom_pipelines"}
# Loaders keep switches of their own behind an underscore; these are the harmless ones.
_PRIVATE = {
    "_attn_implementation_autoset",
    "_commit_hash",
    "_from_model_config",
    "_model_name_or_path",
    "_name_or_path",
    "_num_labels",
    "_sliding_window_pattern",
}
_KERNELS = ("attn_implementation", "experts_implementation")
_BUILT_IN = (None, "eager", "sdpa")
_LABELS = {"id2label", "label2id"}  # their keys are the author's words, not settings
_VOLATILE = {
    "_model_name_or_path",
    "_name_or_path",
    "base_model_name_or_path",
    "inference_mode",
    "peft_version",
    "transformers_version",
    "use_cache",
}


def read_document(path: Path) -> dict[str, Any]:
    """A JSON object from a model folder; raises UserError (78) where it names code."""
    try:
        document = load_document(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise UserError(f"no {path.name}", where=str(path.parent), code=Exit.NO_INPUT) from None
    if not isinstance(document, dict):
        raise UserError("must hold a JSON object", where=str(path), code=Exit.MISMATCH)
    for key, value in _pairs(document):
        if reason := _refusal(key, value):
            raise UserError(
                reason,
                where=str(path),
                hint="model files may not bring code; if the architecture is one of "
                "transformers' own, remove the key from a local copy",
                code=Exit.MISMATCH,
            )
    return document


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from value.items()
        value = [item for key, item in value.items() if key not in _LABELS]
    if isinstance(value, list):
        for item in value:
            yield from _pairs(item)


def _refusal(key: str, value: Any) -> str | None:
    if key in _CODE:
        return f"the key {key!r} names code to run"
    if key.lstrip("_") in _KERNELS:  # a name with a slash is fetched and run
        return None if value in _BUILT_IN else f"{key!r} asks for the kernel {value!r}"
    if key.startswith("_") and key not in _PRIVATE:
        return f"the key {key!r} is private to loaders"
    return None


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder, with its `model_type`."""
    path = folder / "config.json"
    config = read_document(path)
    if not isinstance(config.get("model_type"), str):
        raise UserError("names no model_type", where=str(path), code=Exit.MISMATCH)
    return config


def identity(config: dict[str, Any]) -> dict[str, Any]:
    """What of a config decides how the weights compute: all but who wrote it, when and where."""
    return {key: value for key, value in config.items() if key not in _VOLATILE}
