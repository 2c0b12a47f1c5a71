"""Options that several methods have, and their limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from instructune.errors import usage


def at_least(method: str, least: int, **values: int) -> None:
    """Raise a usage error where a number is below `least`."""
    for name, value in values.items():
        if value < least:
            raise usage(f"method {method!r}: {name} must be at least {least}, got {value}")


def shares(method: str, **values: float) -> None:
    """Raise a usage error where a number is not from 0 to below 1."""
    for name, value in values.items():
        if not 0 <= value < 1:
            raise usage(f"method {method!r}: {name} must be from 0 to below 1, got {value}")


def positive(method: str, **values: float) -> None:
    """Raise a usage error where a number is not above 0."""
    for name, value in values.items():
        if not value > 0:
            raise usage(f"method {method!r}: {name} must be above 0, got {value}")


@dataclass(frozen=True)
class LowRank:
    """Rank and scale (`alpha / rank`) of an update, its dropout, and the layers that get one.

    `target_modules` are the ends of names of layers; without any, all linear layers but the
    model's head.
    """

    METHOD: ClassVar[str] = ""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    target_modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        at_least(self.METHOD, 1, rank=self.rank, alpha=self.alpha)
        shares(self.METHOD, dropout=self.dropout)

    def lora(self) -> dict[str, Any]:
        """As peft's LoRA takes them."""
        return {"r": self.rank, "lora_alpha": self.alpha, "lora_dropout": self.dropout}
