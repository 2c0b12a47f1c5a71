"""The embedding that stands for no token at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

    from instructune.attribution.attributions import Subject

Kind = Literal["mean", "zero", "pad"]


class Baselines:
    """One kind of embedding that says nothing, made once for a model."""

    def __init__(self, kind: Kind, pad: int) -> None:
        self.kind, self.pad = kind, pad
        self._made: torch.Tensor | None = None

    def embedding(self, subject: Subject) -> torch.Tensor:
        """The embedding, (H,)."""
        if self._made is None:
            self._made = subject.baseline(self.kind, self.pad)
        return self._made

    def start(self, subject: Subject, count: int) -> torch.Tensor:
        """The row's embeddings (T, H) with this one in place of the first `count`."""
        own = subject.embeddings()
        own[:count] = self.embedding(subject)
        return own
