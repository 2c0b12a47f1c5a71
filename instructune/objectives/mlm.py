"""Masked language modelling: hidden tokens or whole words, drawn anew each time a row is seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from instructune.architectures import Head
from instructune.errors import Exit, UserError, usage
from instructune.framing import Framing
from instructune.objectives import _framed, _scored
from instructune.records import Record
from instructune.texts import prompt_of
from instructune.tokens import TokenRow, row_weight
from instructune.training.batches import Batch, TokenData
from instructune.words import pieces, words_in

if TYPE_CHECKING:
    import torch

    from instructune.training.goals import Given

HEAD = "masked"


@dataclass(frozen=True)
class Options:
    """The share of tokens to be predicted; of these `mask` are hidden and `random` replaced.

    The rest stays as it is, as in BERT (Devlin et al. 2018, arXiv 1810.04805). `whole_words`
    draws words, all of whose tokens are predicted.
    """

    rate: float = 0.15
    mask: float = 0.8
    random: float = 0.1
    whole_words: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise usage(f"objective 'mlm': rate must be between 0 and 1, got {self.rate}")
        if min(self.mask, self.random) < 0 or self.mask + self.random > 1:
            raise usage("objective 'mlm': mask and random are shares of a whole")


class Objective(_scored.CrossEntropy):
    """Texts of any kind of row; long ones are cut into pieces."""

    head = Head(HEAD)

    def __init__(self, options: Options, given: Given) -> None:
        self.options, self.given = options, given
        self.facts: dict[str, Any] = {}

    def encoding(self, *, learns: bool) -> _Rows:
        """Framed texts, with the word that each token is of."""
        mask_id(self.given)
        return _Rows(self.given)

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Rows with some tokens hidden; targets (B, T) are what they were.

        What is hidden is a function of the seed, `draw` and the row.
        """
        import torch

        ids, mask, inputs = _framed.inputs_of(data, rows, self.given, pad_id)
        hides, most = mask_id(self.given), self.options.mask + self.options.random
        targets, weights = ids.clone(), torch.zeros(ids.shape)
        for i, row in enumerate(rows):
            draws = np.random.default_rng((self.given.seed, draw, row))
            chosen = self._chosen(data.columns["words"].of(row), draws)
            weights[i, chosen] = float(data.columns["weights"].of(row)[0])
            fate = draws.random(len(chosen))
            hidden = torch.from_numpy(chosen[fate < self.options.mask])
            ids[i, hidden] = hides
            swapped = (fate >= self.options.mask) & (fate < most)
            other = draws.choice(self._plain, size=int(swapped.sum()))
            ids[i, torch.from_numpy(chosen[swapped])] = torch.from_numpy(other)
        return Batch(ids, mask, targets, weights, list(rows), inputs)

    def _chosen(self, words: np.ndarray, draws: np.random.Generator) -> np.ndarray:
        """Places of the tokens to be predicted, at least one; exactly the share, not on average."""
        units = np.arange(len(words)) if not self.options.whole_words else words
        known = np.unique(units[words >= 0])
        count = max(1, round(self.options.rate * len(known)))
        taken = draws.choice(known, size=count, replace=False)
        return np.flatnonzero(np.isin(units, taken) & (words >= 0))

    @cached_property
    def _plain(self) -> np.ndarray:
        """Ids that are no control tokens."""
        tokenizer = self.given.tokenizer
        return np.array([i for i in range(tokenizer.size) if i not in tokenizer.special_ids])

    def scores(self, model: Any, batch: Batch) -> torch.Tensor:
        """The logits of the tokens to be predicted; (N, V)."""
        return _framed.logits(model, batch)[batch.weights > 0]


class _Rows(Framing):
    """Records to framed texts; one longer than the limit becomes several rows."""

    def __init__(self, given: Given) -> None:
        super().__init__(given.tokenizer, None, "drop")
        self.longest = given.limit

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """The rows of all records in order."""
        for framed, (record, words) in self.framed(map(_asked, records)):
            assert framed
            around = len(framed.ids) - len(framed.offsets)
            size = (self.longest or len(framed.ids)) - around
            numbers = [-1] * len(framed.offsets)
            for word, (first, end) in enumerate(pieces(words, framed.offsets)):
                numbers[first:end] = [word] * (end - first)
            yield from self._cut(framed.ids, framed.lead, numbers, size, record)

    def _cut(
        self, ids: list[int], lead: int, words: list[int], size: int, record: Record
    ) -> Iterator[TokenRow]:
        before, after = ids[:lead], ids[lead + len(words) :]
        inner = ids[lead : lead + len(words)]
        count = 0
        for start in range(0, len(words), size):
            part = words[start : start + size]
            if max(part) < 0:
                continue
            count += 1
            row = [*before, *inner[start : start + size], *after]
            numbers = [-1] * lead + part + [-1] * len(after)
            columns = {"second": [len(row)], "words": numbers}
            yield TokenRow(row, [row_weight(record)], record["id"], record.where, columns)
        if not count:
            self.counts["nothing to hide, dropped"] += 1
            self.dropped.append(record.where)
        self.counts["pieces of long texts, added"] += max(0, count - 1)


def _asked(record: Record) -> tuple[list[str], str, tuple[Record, list[tuple[int, int]]]]:
    text = "\n".join(_framed.texts_of(record))
    return [text], record.where, (record, words_in(text))


def mask_id(given: Given) -> int:
    """The id that hides a token; raises 78 where the tokenizer has none."""
    found = given.tokenizer.mask_id
    if found is None:
        raise UserError("its tokenizer has no mask token", code=Exit.MISMATCH)
    return found


class Answers(_framed.Whole):
    """The text with its masks, such as `[MASK]`, filled by the likeliest tokens."""

    def __init__(self, facts: Mapping[str, Any], given: Given) -> None:
        self.given = given

    def row(self, record: Record) -> TokenRow:
        """What stands around the masks; raises UserError where there is none."""
        tokenizer = self.given.tokenizer
        name = tokenizer.tokens.get("mask_token", "")
        text = prompt_of(record)
        if not name or name not in text:
            raise UserError(f"holds no {name or 'mask'} to fill")
        ids = list(tokenizer.frame.before)
        for i, part in enumerate(text.split(name)):
            ids += [mask_id(self.given)] * bool(i)
            ids += tokenizer.encode(tokenizer.template.literal(part)).ids
        ids += tokenizer.frame.after
        limit = self.given.limit
        if limit is not None and len(ids) > limit:
            raise UserError(f"the text is longer than {limit} tokens")
        columns = {"second": [len(ids)]}
        return TokenRow(ids, [1.0], record["id"], record.where, columns)

    def of(self, model: Any, rows: Sequence[TokenRow], pad_id: int) -> list[Mapping[str, Any]]:
        """The tokens that fill each row's masks, with their log-probabilities."""
        batch = _framed.asked(rows, self.given, pad_id, model)
        scores = _framed.logits(model, batch).float()
        found: list[Mapping[str, Any]] = []
        hides = mask_id(self.given)
        for row, told in zip(rows, scores, strict=True):
            places = [i for i, token in enumerate(row.ids) if token == hides]
            best = told[places].log_softmax(-1).max(-1)
            words = [self.given.tokenizer.decode([i]).strip() for i in best.indices.tolist()]
            if told[places].isfinite().all():
                pairs = zip(words, best.values.tolist(), strict=True)
                found.append({"token_logprobs": [list(pair) for pair in pairs]})
            else:
                found.append({})
        return found

    def joined(self, record: Record, parts: list[Mapping[str, Any]]) -> Mapping[str, Any]:
        """The text with its masks filled."""
        name = self.given.tokenizer.tokens["mask_token"]
        text = prompt_of(record)
        for word, _ in parts[0]["token_logprobs"]:
            text = text.replace(name, word, 1)
        return {"prediction": text, **parts[0]}
