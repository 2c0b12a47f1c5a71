"""Libraries of an extra, imported when first used; a missing one is told with its install line."""

from __future__ import annotations

import importlib
from typing import Any

from instructune.errors import Exit, UserError


def extra(module: str, name: str | None, where: str) -> Any:
    """The module, or 69 with the line that installs the extra `name`; None is by itself."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise UserError(
            f"needs {module}, which is not installed",
            where=where,
            hint=f"pip install 'instructune[{name}]'" if name else f"pip install {module}",
            code=Exit.UNAVAILABLE,
        ) from None
