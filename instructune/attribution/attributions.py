"""How far each input token moves a number that a model computes: gradients, paths, occlusion.

Shapes: B rows, T tokens, H embedding width. Embeddings are what the embedding layer hands on, so
scaled where the model scales them, and with what an adapter adds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from instructune.answering.likelihood import answer_likelihood
from instructune.attribution.explaining import Case
from instructune.errors import Exit, UserError

Baseline = Literal["mean", "zero", "pad"]
Run = Callable[[torch.Tensor], torch.Tensor]  # ids (B, T) to a number for each row, (B,)

_TOKENS = 1024  # through the model at once
_CELLS = 1 << 25  # logits at once: 128 MiB
_IDS = 8192  # of the vocabulary embedded at once
_PLACES = 4  # of a part of the way from the baseline


class Path(NamedTuple):
    """Integrated gradients (T,), and the numbers that show how complete they are.

    `gap` adds up how far each part of the way is off, so that errors cannot hide one another.
    """

    values: torch.Tensor
    score: float
    baseline: float
    steps: int
    gap: float


class Subject:
    """What is explained: the number `run` computes of a row of ids, seen from its embeddings.

    `rows` go through the model at once.
    """

    def __init__(self, model: Any, ids: Sequence[int], run: Run, rows: int = 1) -> None:
        self.model, self.run, self.rows = model, run, rows
        self.ids = torch.tensor([list(ids)], device=model.device)
        inner = model.get_base_model() if hasattr(model, "get_base_model") else model
        reader = inner.get_encoder() if inner.config.is_encoder_decoder else inner
        self.layer: torch.nn.Module = reader.get_input_embeddings()

    @torch.no_grad()
    def embeddings(self) -> torch.Tensor:
        """The row's own, (T, H)."""
        return self.layer(self.ids)[0].float()

    @torch.no_grad()
    def baseline(self, kind: Baseline, pad: int) -> torch.Tensor:
        """An embedding that says nothing, (H,): the vocabulary's mean, zeros, or that of `pad`."""
        if kind == "zero":
            return torch.zeros_like(self.embeddings()[0])
        if kind == "pad":
            return self.layer(torch.full_like(self.ids[:, :1], pad))[0, 0].float()
        size = int(self.layer.num_embeddings)  # type: ignore[arg-type]
        ids = torch.arange(size, device=self.ids.device)
        sums = [self.layer(part[None])[0].double().sum(0) for part in ids.split(_IDS)]
        return (torch.stack(sums).sum(0) / size).float()

    def score(self, embeddings: torch.Tensor) -> torch.Tensor:
        """The number for each row of embeddings (B, T, H) in the place of the row's own; (B,)."""
        calls = 0

        def instead(module: Any, given: Any, found: torch.Tensor) -> torch.Tensor:
            nonlocal calls
            calls += 1
            return embeddings.to(found.dtype)

        hook = self.layer.register_forward_hook(instead)
        try:
            scores = self.run(self.ids.expand(len(embeddings), -1))
        finally:
            hook.remove()
        if calls != 1:
            raise UserError(
                "this model reads its token embeddings in a way that cannot be explained",
                code=Exit.MISMATCH,
            )
        return scores.float()

    @torch.no_grad()
    def scores(self, embeddings: torch.Tensor) -> torch.Tensor:
        """The same of any number of rows, without gradients."""
        return torch.cat([self.score(part) for part in embeddings.split(self.rows)])

    def gradients(self, embeddings: torch.Tensor) -> torch.Tensor:
        """Of the number by the embeddings of each row, (B, T, H)."""
        leaf = embeddings.detach().requires_grad_()
        with torch.enable_grad(), _frozen(self.model):
            (found,) = torch.autograd.grad(self.score(leaf).sum(), leaf)
        return found


@contextmanager
def _frozen(model: torch.nn.Module) -> Iterator[None]:
    """Keep nothing for gradients of the weights, which nobody asks for."""
    learning = [weight for weight in model.parameters() if weight.requires_grad]
    for weight in learning:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in learning:
            weight.requires_grad_(True)


def of_answer(model: Any, prompt: Sequence[int], answer: Sequence[int]) -> Subject:
    """The log-probability of an answer, summed over its tokens, as a number to explain."""
    ids = [*prompt, *answer]
    vocabulary = int(model.config.get_text_config(decoder=True).vocab_size)
    rows = min(_TOKENS // len(ids), _CELLS // (len(answer) * vocabulary))
    run = answer_likelihood(model, len(ids), len(prompt))
    return Subject(model, ids, run, max(1, rows))


def of_case(model: Any, case: Case) -> Subject:
    """What stands for a prediction: the log-probability of a text, or what its model says."""
    chosen = case.chosen
    if chosen is None:
        return of_answer(model, case.prompt, case.answer)
    rows = max(1, _TOKENS // len(case.prompt))
    return Subject(model, case.prompt, lambda ids: chosen.score(model, ids), rows)


def gradient_by_input(subject: Subject, start: torch.Tensor) -> torch.Tensor:
    """The gradient times what tells the row's embeddings from those at `start` (T, H); (T,)."""
    own = subject.embeddings()
    return (subject.gradients(own[None])[0] * (own - start)).sum(-1)


def integrated_gradients(
    subject: Subject, start: torch.Tensor, steps: int, tolerance: float = 0.01
) -> Path:
    """The gradient along the straight way from `start` (T, H) to the row's own embeddings.

    Sundararajan et al. 2017, arXiv 1703.01365. Language models change by leaps on that way, so
    the part that is furthest from adding up is halved, until the parts together are within
    `tolerance` times the difference of the two ends, or times 1 where that is less, or `steps`
    gradients were taken. Each part is Gauss and Legendre's integral of four.
    """
    own = subject.embeddings()
    baseline, score = subject.scores(torch.stack([start, own])).tolist()
    bound = tolerance * max(1.0, abs(score - baseline))
    parts = [_part(subject, start, own, _Ends(0.0, 1.0, baseline, score))]
    taken = _PLACES
    while taken + 2 * _PLACES <= steps:
        if not sum(part.gap for part in parts) > bound:
            break
        worst = max(range(len(parts)), key=lambda i: parts[i].gap)
        low, high, before, behind = parts.pop(worst).ends
        middle = (low + high) / 2
        (at,) = subject.scores((start + middle * (own - start))[None]).tolist()
        for ends in (_Ends(low, middle, before, at), _Ends(middle, high, at, behind)):
            parts.append(_part(subject, start, own, ends))
        taken += 2 * _PLACES
    values = torch.stack([part.values for part in parts]).sum(0)
    return Path(values, score, baseline, taken, sum(part.gap for part in parts))


class _Ends(NamedTuple):
    """Where a part of the way begins and ends, and the numbers there."""

    low: float
    high: float
    before: float
    behind: float


class _Part(NamedTuple):
    ends: _Ends
    values: torch.Tensor
    gap: float


def _part(subject: Subject, start: torch.Tensor, own: torch.Tensor, ends: _Ends) -> _Part:
    nodes, shares = np.polynomial.legendre.leggauss(_PLACES)  # from -1 to 1
    width = ends.high - ends.low
    places = torch.tensor(ends.low + width * (nodes + 1) / 2, dtype=torch.float32)
    weights = torch.tensor(width * shares / 2, dtype=torch.float64)
    total = torch.zeros_like(own, dtype=torch.float64)
    for at, weight in zip(places.split(subject.rows), weights.split(subject.rows), strict=True):
        rows = start + at.to(own.device)[:, None, None] * (own - start)
        found = subject.gradients(rows).double() * weight.to(own.device)[:, None, None]
        total += found.sum(0)
    values = ((own - start) * total).sum(-1)
    return _Part(ends, values, abs(values.sum().item() - (ends.behind - ends.before)))


def occlusion(
    subject: Subject, fill: torch.Tensor, groups: Sequence[Sequence[int]]
) -> tuple[torch.Tensor, float, float]:
    """How much the number falls where a group of tokens is replaced by the embedding `fill` (H,).

    One value a group; then the number itself, and what it is without any of them.
    """
    own = subject.embeddings()
    everything = [i for group in groups for i in group]
    found = []
    asked = [[], everything, *groups]
    for at in range(0, len(asked), subject.rows):
        part = asked[at : at + subject.rows]
        rows = own.repeat(len(part), 1, 1)
        for row, group in zip(rows, part, strict=True):
            row[list(group)] = fill
        found.append(subject.scores(rows))
    scores = torch.cat(found)
    return scores[0] - scores[2:], scores[0].item(), scores[1].item()
