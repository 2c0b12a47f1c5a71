"""One vector a text, near that of its `positive` and far from those of all other rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from instructune.architectures import Head
from instructune.errors import UserError, usage
from instructune.framing import Framing
from instructune.objectives import _framed
from instructune.records import Record
from instructune.tokens import TokenRow, row_weight
from instructune.training.batches import Batch, TokenData

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given, Loss

HEAD = "encoder"


@dataclass(frozen=True)
class Options:
    """How tokens become one vector, and the `temperature` that similarities are divided by."""

    pooling: Literal["mean", "first", "last"] = "mean"
    temperature: float = 0.05

    def __post_init__(self) -> None:
        if self.temperature <= 0:
            raise usage(f"objective 'embed': temperature must be above 0, got {self.temperature}")


class Objective:
    """Rows of a text and its `positive`, perhaps with `negatives`.

    The loss of a row is the cross-entropy of finding its positive among those of all rows of the
    step and all their negatives, by cosine (InfoNCE, van den Oord et al. 2018, arXiv 1807.03748);
    equal texts are not each other's negatives. So the rows of a step pass through the model
    together, whatever `--micro-batch-tokens` is.
    """

    head = Head(HEAD)
    whole = True

    def __init__(self, options: Options, given: Given) -> None:
        self.options, self.given = options, given

    @property
    def facts(self) -> dict[str, Any]:
        """What the answers are made by."""
        return {"overflow": self.given.overflow, "pooling": self.options.pooling}

    def encoding(self, *, learns: bool) -> _Rows:
        """Framed texts, those beside each row end to end."""
        return _Rows(self.given)

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Targets (B,); `other_input_ids` (M, U): all rows' positives, then their negatives."""
        import torch

        ids, mask, _ = _framed.inputs_of(data, rows, self.given, pad_id)
        beside = [_parted(data, row) for row in rows]
        positives = [texts[0] for texts in beside]
        others = positives + [text for texts in beside for text in texts[1:]]
        width = max(map(len, others))
        padded = [[*text, *[pad_id] * (width - len(text))] for text in others]
        lengths = torch.tensor([len(text) for text in others])
        equal = [
            [i != j and text == own for j, text in enumerate(others)]
            for i, own in enumerate(positives)
        ]
        inputs = {
            "other_input_ids": torch.tensor(padded),
            "other_attention_mask": (torch.arange(width) < lengths[:, None]).long(),
            "equal": torch.tensor(equal),
        }
        weights = torch.from_numpy(_framed.weights_of(data, rows))
        return Batch(ids, mask, torch.arange(len(rows)), weights, list(rows), inputs)

    def loss(self, model: Any) -> Loss:
        """Cross-entropy of each row's positive among all texts of the batch."""
        from instructune.training import losses

        def loss(batch: Batch) -> torch.Tensor:
            return losses.cross_entropy(
                self.similarities(model, batch), batch.targets, batch.weights
            )

        return loss

    def similarities(self, model: Any, batch: Batch) -> torch.Tensor:
        """Similarities of rows and others, (B, M)."""
        other, pooling = batch.inputs, self.options.pooling
        rows = vectors(model, batch.input_ids, batch.attention_mask, pooling)
        others = vectors(model, other["other_input_ids"], other["other_attention_mask"], pooling)
        found = rows @ others.T / self.options.temperature
        return found.masked_fill(batch.inputs["equal"], float("-inf"))


def vectors(model: Any, ids: torch.Tensor, mask: torch.Tensor | None, pooling: str) -> torch.Tensor:
    """A vector of length 1 for each row, (B, H) float32, of the last hidden states."""
    import torch

    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    hidden = hidden[:, -ids.shape[1] :]  # virtual tokens of an adapter have states too, before them
    if pooling == "first":
        found = hidden[:, 0]
    elif mask is None:
        found = hidden.mean(1) if pooling == "mean" else hidden[:, -1]
    elif pooling == "mean":
        found = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    else:
        found = hidden[torch.arange(len(ids)), mask.sum(1) - 1]
    return torch.nn.functional.normalize(found, dim=-1)


def _parted(data: TokenData, row: int) -> list[list[int]]:
    """The texts beside a row, each as its tokens."""
    ends = np.cumsum(data.columns["cuts"].of(row))[:-1]
    return [part.tolist() for part in np.split(data.columns["output"].of(row), ends)]


class _Rows(Framing):
    """Records to rows of framed texts; a row goes where one of its texts is too long."""

    def __init__(self, given: Given) -> None:
        super().__init__(given.tokenizer, given.limit, given.overflow)

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """The rows of all records in order."""
        framed = self.framed(text for record in records for text in _asked(record))
        for first, (record, count) in framed:
            parts = [first, *(next(framed)[0] for _ in range(count - 1))]
            ids = [part.ids for part in parts if part]
            if len(ids) == count:
                columns = {
                    "output": [i for one in ids[1:] for i in one],
                    "cuts": [len(one) for one in ids[1:]],
                    "second": [len(ids[0])],
                }
                weight = [row_weight(record)]
                yield TokenRow(ids[0], weight, record["id"], record.where, columns)
        self.check()


def _asked(record: Record) -> Iterator[tuple[list[str], str, tuple[Record, int]]]:
    """The text, its positive and its negatives, each with their number."""
    if "positive" not in record:
        raise UserError("has no positive to be near to", where=record.where)
    texts = [_text(record), record["positive"], *record.get("negatives", ())]
    return (([text], record.where, (record, len(texts))) for text in texts)


def _text(record: Record) -> str:
    return "\n".join(_framed.texts_of(record))


class Answers(_framed.Whole):
    """The vector of each text, of length 1."""

    def __init__(self, facts: Mapping[str, Any], given: Given) -> None:
        self.given = given
        self.overflow = facts.get("overflow", "error")
        self.pooling = facts.get("pooling", Options.pooling)

    def row(self, record: Record) -> TokenRow:
        """The framed text; raises UserError where it is too long and was not cut in training."""
        return _framed.row_of(self.given, self.overflow, [_text(record)], record)

    def of(self, model: Any, rows: Sequence[TokenRow], pad_id: int) -> list[Mapping[str, Any]]:
        """The fields of each row's prediction."""
        batch = _framed.asked(rows, self.given, pad_id, model)
        found = vectors(model, batch.input_ids, batch.attention_mask, self.pooling)
        good = found.isfinite().all(-1).tolist()
        return [
            {"prediction": vector} if is_good else {}
            for vector, is_good in zip(found.tolist(), good, strict=True)
        ]
