"""transformers and peft kept quiet, and what they refuse told in a line."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import transformers.utils.logging as library_logging
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError

from instructune.commits import io_error
from instructune.errors import Exit, UserError


def check_nothing(keys: Iterable[Any], what: str, where: str) -> None:
    """Raise UserError naming the first few of `keys`, if there are any."""
    names = sorted(key if isinstance(key, str) else _shapes(*key) for key in keys)
    if names:
        more = ", …" if len(names) > 3 else ""
        raise UserError(
            f"{len(names)} {what}: {', '.join(names[:3])}{more}", where=where, code=Exit.MISMATCH
        )


def _shapes(name: str, found: Any, wanted: Any) -> str:
    return f"{name} ({'x'.join(map(str, found))}, not {'x'.join(map(str, wanted))})"


@contextmanager
def naming_failures(where: str) -> Iterator[None]:
    """The libraries' refusals of a folder as one line; a lack of memory passes through."""
    try:
        yield
    except OSError as error:  # transformers' own complaints have no number
        raise (io_error(error, where) if error.errno else _refused(error, where)) from None
    except (ValueError, LookupError, TypeError, ImportError) as error:
        raise _refused(error, where) from None
    except (SafetensorError, StrictDataclassError) as error:
        raise _refused(error, where) from None
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error):
            raise MemoryError(str(error)) from None
        raise _refused(error, where) from None


def _refused(error: Exception, where: str) -> UserError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = " ".join(lines[:3]) or type(error).__name__
    return UserError(f"cannot be loaded: {reason}", where=where, code=Exit.MISMATCH)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers and peft from printing: core never prints, their notes are our errors."""
    verbosity = library_logging.get_verbosity()
    bars = library_logging.is_progress_bar_enabled()
    library_logging.set_verbosity(library_logging.CRITICAL)
    library_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        library_logging.set_verbosity(verbosity)
        if bars:
            library_logging.enable_progress_bar()
