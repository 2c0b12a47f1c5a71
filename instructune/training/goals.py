"""What an objective is given, what it gives, and how its loss is made of scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from instructune.architectures import Head
from instructune.records import Record
from instructune.tokenizer import Tokenizer
from instructune.tokens import TokenRow
from instructune.training.batches import Batch, TokenData

if TYPE_CHECKING:
    import torch

Loss = Callable[[Batch], "torch.Tensor"]


@dataclass(frozen=True)
class Given:
    """What an objective may use: the base model's tokenizer and config, and some settings.

    `limit` is the longest sequence in tokens, `stored` the head that the base model has.
    """

    tokenizer: Tokenizer
    limit: int | None
    overflow: str = "error"
    train_on: str = "assistant"
    stored: Head = Head()  # noqa: RUF009
    pad_id: int = 0
    seed: int = 0


class Encoding(Protocol):
    """Records to token rows, with counts of what became of them."""

    stops: set[int]

    @property
    def counts(self) -> Counter[str]:
        """Rows gained, lost and cut, by cause."""

    @property
    def dropped(self) -> list[str]:
        """Places of the rows that were dropped."""

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """Yield the rows of all records in order; raises UserError (65) naming a bad record."""


class Objective(Protocol):
    """How records become batches, and batches a loss.

    `whole`: the loss of a row depends on the rows beside it, so a step is one forward pass.
    """

    whole: bool

    @property
    def facts(self) -> dict[str, Any]:
        """What the run keeps for its answers."""

    @property
    def head(self) -> Head:
        """The model's top, once the training data was encoded."""

    def encoding(self, *, learns: bool) -> Encoding:
        """The way to rows; labels not seen before are taken in where it `learns`."""

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """A batch of the rows; `draw` seeds what is random about it."""

    def loss(self, model: Any, smoothing: float = 0.0) -> Loss:
        """The function from a batch to its weighted sum of losses; a 0-d tensor.

        `smoothing` is the share of each target spread over all classes; given only where the
        objective has `scores`.
        """


class Scored(Objective, Protocol):
    """An objective whose loss is a plain cross-entropy of scores.

    One that is so for some of its options alone has None for `scores` otherwise.
    """

    @property
    def scores(self) -> Callable[[Any, Batch], torch.Tensor] | None:
        """From model and batch to the scores (N, C) of the N units with a weight.

        They are in the order of `batch.weights > 0`, which also picks their targets.
        """


class Answers(Protocol):
    """What a model that writes no text answers."""

    def rows(self, record: Record) -> list[TokenRow]:
        """What is read of a record, in one row or more; raises UserError where it cannot be."""

    def of(self, model: Any, rows: Sequence[TokenRow], pad_id: int) -> list[Mapping[str, Any]]:
        """What each row is answered; nothing where the model's output is not finite."""

    def joined(self, record: Record, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The fields of a record's prediction, `prediction` among them, from those of its rows."""


class Target(NamedTuple):
    """The number that stands for an answer, as a model computes it of a row: what is explained.

    `words` say what it is. `score(model, ids)` is it for each row of ids (B, T) in the place of
    the row's own, (B,) float32; gradients flow through it. `places` are the tokens whose outputs
    make it up; none where a head reads the text as a whole.
    """

    row: TokenRow
    words: str
    score: Callable[[Any, torch.Tensor], torch.Tensor]
    places: Sequence[int] = ()


def likelihood_of(answer: Sequence[int]) -> str:
    """The log-probability of an answer's tokens, in words."""
    count = len(answer)
    return f"log-probability of the answer, {count} token{'s' if count != 1 else ''}"


class Explicable(Answers, Protocol):
    """Answers that can be explained."""

    def target(
        self, record: Record, rows: Sequence[TokenRow], parts: Sequence[Mapping[str, Any]]
    ) -> Target | None:
        """What stands for the answer to a record; None where it says nothing."""
