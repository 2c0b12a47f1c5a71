"""Models on the Hugging Face Hub: a snapshot in the ordinary local cache, fetched where needed."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from instructune.errors import Exit, UserError
from instructune.fetching import network, weightfiles

if TYPE_CHECKING:
    from types import ModuleType

# Only what is read: top-level safetensors in transformers' own naming, JSON and templates.
_WANTED = (
    "model.safetensors",
    "model-*.safetensors",
    "model.safetensors.index.json",
    "adapter_model.safetensors",
    "adapter_config.json",
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "chat_template.jinja",
)
_ID = re.compile(r"(?!.*(?:--|\.\.))(?:\w[\w.-]{0,95}/)?\w[\w.-]{0,95}(?:@[\w./-]+)?", re.ASCII)
_FILES = re.compile(r"\.(gguf|safetensors|json|jsonl|bin|pt|pth|zip|whl)$", re.IGNORECASE)


def is_id(spec: str) -> bool:
    """Whether `spec` could be `owner/name` or `name`, with `@revision` or without."""
    return bool(_ID.fullmatch(spec)) and not _FILES.search(spec)


def snapshot(spec: str, notify: Callable[[str], None]) -> Path:
    """The local folder of `owner/name[@revision]`; what is cached is used without asking the Hub.

    Raises 66 for what the Hub does not have, 77 for what it does not give, 69 within seconds
    where it cannot be reached. HF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_OFFLINE hold.
    """
    name, _, revision = spec.partition("@")
    with _quiet_library() as library:
        cached = _cached(library, name, revision)
        if cached and _is_complete(cached):
            return cached
        endpoint = library.constants.ENDPOINT
        if reason := _out_of_reach(library, endpoint):
            if cached and _has_weights(cached):
                return cached
            raise UserError(
                f"is not in the local Hub cache, and {reason}",
                where=spec,
                hint="run it once with a network, name a local folder, or use smollm2-135m",
                code=Exit.UNAVAILABLE,
            )
        notify(f"downloading {spec} from {urlsplit(endpoint).netloc}")
        with _naming_failures(library, spec, endpoint):
            return Path(_fetch(library, name, revision))


def _fetch(library: ModuleType, name: str, revision: str, **options: Any) -> str:
    return library.snapshot_download(
        name,
        revision=revision or None,
        endpoint=library.constants.ENDPOINT,
        allow_patterns=list(_WANTED),
        ignore_patterns=["*/*"],
        tqdm_class=_silent_bar(),
        **options,
    )


def _cached(library: ModuleType, name: str, revision: str) -> Path | None:
    try:
        return Path(_fetch(library, name, revision, local_files_only=True))
    except library.errors.IncompleteSnapshotError as error:
        return Path(error.snapshot_path)
    except (OSError, ValueError, library.errors.HTTPError):
        return None


def _is_complete(folder: Path) -> bool:
    is_adapter = (folder / "adapter_config.json").is_file()
    needed = [] if is_adapter else ["config.json", "tokenizer.json"]
    return all((folder / name).is_file() for name in needed) and _has_weights(folder)


def _has_weights(folder: Path) -> bool:
    is_adapter = (folder / "adapter_config.json").is_file()
    try:
        weightfiles.weight_files(folder, weightfiles.ADAPTER if is_adapter else weightfiles.MODEL)
    except (UserError, OSError):
        return False
    return True


def _out_of_reach(library: ModuleType, endpoint: str) -> str | None:
    if library.constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    if reason := network.unreachable(endpoint):
        return f"{endpoint} cannot be reached ({reason})"
    return None


@contextmanager
def _naming_failures(library: ModuleType, spec: str, endpoint: str) -> Iterator[None]:
    errors, host = library.errors, urlsplit(endpoint).netloc
    try:
        yield
    except errors.GatedRepoError:
        raise UserError(
            f"is gated on {host}",
            where=spec,
            hint="accept its licence there and set HF_TOKEN",
            code=Exit.PERMISSION,
        ) from None
    except errors.RevisionNotFoundError:
        raise UserError(f"no such revision on {host}", where=spec, code=Exit.NO_INPUT) from None
    except (errors.RepositoryNotFoundError, errors.HFValidationError):
        raise UserError(
            f"no such preset, path, or model on {host}",
            where=spec,
            hint="a private one needs HF_TOKEN",
            code=Exit.NO_INPUT,
        ) from None
    except (errors.LocalEntryNotFoundError, errors.HTTPError) as error:
        cause = error.__cause__ or error
        reason = str(cause).strip().partition("\n")[0] or type(cause).__name__
        raise UserError(
            f"{endpoint} broke off: {reason}", where=spec, code=Exit.UNAVAILABLE
        ) from None
    except OSError as error:
        raise UserError(
            f"cannot be stored in the local Hub cache ({error.strerror or error})",
            where=spec,
            hint="HF_HOME names another folder for it",
            code=Exit.IO,
        ) from None


@contextmanager
def _quiet_library() -> Iterator[ModuleType]:
    """huggingface_hub, silent and without telemetry for as long as we use it."""
    before = os.environ.get("HF_HUB_DISABLE_TELEMETRY")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"  # read when the library is first imported
    try:
        import huggingface_hub as library
        import huggingface_hub.constants
        import huggingface_hub.errors
    finally:
        if before is None:
            del os.environ["HF_HUB_DISABLE_TELEMETRY"]
        else:
            os.environ["HF_HUB_DISABLE_TELEMETRY"] = before
    constants, logger = library.constants, logging.getLogger("huggingface_hub")
    kept = constants.HF_HUB_DISABLE_TELEMETRY, logger.level
    constants.HF_HUB_DISABLE_TELEMETRY = True
    logger.setLevel(logging.CRITICAL)
    try:
        yield library
    finally:
        constants.HF_HUB_DISABLE_TELEMETRY = kept[0]
        logger.setLevel(kept[1])


def _silent_bar() -> type:
    from tqdm import tqdm

    class SilentBar(tqdm):
        """A progress bar that shows none."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options | {"disable": True})

    return SilentBar
