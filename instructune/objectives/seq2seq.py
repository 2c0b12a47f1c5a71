"""Instruction and input in, output out, by an encoder-decoder such as T5 or BART."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from instructune.architectures import Head, start_id
from instructune.errors import UserError, at, usage
from instructune.objectives import _scored
from instructune.overflow import Overflow
from instructune.records import Record
from instructune.templating.templates import Rendered
from instructune.tokenizer import Tokenizer
from instructune.tokens import TokenRow, row_weight
from instructune.training.batches import Batch, TokenData, padded_ids
from instructune.training.goals import Given, Target, likelihood_of

if TYPE_CHECKING:
    import torch

HEAD = "seq2seq"
_BATCH = 256  # records encoded at once


class Objective(_scored.CrossEntropy):
    """Chats: what stands before an answer is the input, the answer is the output."""

    head = Head(HEAD)

    def __init__(self, options: None, given: Given) -> None:
        if given.train_on == "all":
            raise usage("'all' is for models without an encoder", where="--train-on")
        self.given = given
        self.facts: dict[str, Any] = {}

    def encoding(self, *, learns: bool) -> _Rows:
        """Both sides as tokens, the output with the one that ends it."""
        return _Rows(self.given)

    def collate(self, data: TokenData, rows: list[int], pad_id: int, draw: int) -> Batch:
        """Targets and weights (B, U), U tokens of the longest output."""
        import torch

        ids, mask = padded_ids(data, rows, pad_id)
        targets = torch.from_numpy(data.columns["output"].padded(rows, pad_id))
        weights = torch.from_numpy(data.columns["weights"].padded(rows, 0))
        return Batch(ids, mask, targets, weights, list(rows))

    def scores(self, model: Any, batch: Batch) -> torch.Tensor:
        """The logits of the learned tokens; (N, V)."""
        told = batch.targets.roll(1, dims=1)
        told[:, 0] = start_id(model.config)
        found: torch.Tensor = model(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            decoder_input_ids=told,
            use_cache=False,
        ).logits
        return found[batch.weights > 0]


def sides(tokenizer: Tokenizer) -> _Rows:
    """Records to their prompt and their last answer, however long these are: to be scored."""
    return _Rows(Given(tokenizer, None, train_on="last"))


def target(record: Record, prompt: list[int], answer: list[int]) -> Target:
    """What stands for a written answer: its log-probability, by what the encoder reads."""
    import torch

    def score(model: Any, ids: torch.Tensor) -> torch.Tensor:
        right = torch.tensor([answer], device=ids.device).expand(len(ids), -1)
        told = right.roll(1, dims=1)
        told[:, 0] = start_id(model.config)
        found = model(input_ids=ids, decoder_input_ids=told, use_cache=False).logits.float()
        return found.log_softmax(-1).gather(-1, right[..., None]).sum((1, 2))

    row = TokenRow(prompt, [1.0], record["id"], record.where)
    return Target(row, likelihood_of(answer), score)


class _Rows:
    """Records to pairs of sequences, one for each trained answer; each side is cut by itself."""

    def __init__(self, given: Given) -> None:
        if given.overflow == "split":
            raise usage("'split' is for models without an encoder", where="--overflow")
        self.given, self.tokenizer = given, given.tokenizer
        self._overflow = Overflow(given.overflow, given.limit)
        self.stops = {i for i in (given.tokenizer.eos_id,) if i is not None}

    @property
    def counts(self) -> Counter[str]:
        """Rows gained, lost and cut, by cause."""
        return self._overflow.counts

    @property
    def dropped(self) -> list[str]:
        """Places of the rows that were dropped."""
        return self._overflow.dropped

    def sequences(self, records: Iterable[Record]) -> Iterator[TokenRow]:
        """The rows of all records in order."""
        records = iter(records)
        while batch := list(islice(records, _BATCH)):
            pairs = [(record, *pair) for record in batch for pair in self._pairs(record)]
            texts = [text for _, prompt, answer, _ in pairs for text in (prompt, answer)]
            encoded = iter(self.tokenizer.encode_batch(texts))
            for record, _, _, weight in pairs:
                source, target = next(encoded).ids, next(encoded).ids
                yield from self._row(record, source, target, weight)
        self._overflow.check()

    def _pairs(self, record: Record) -> list[tuple[Rendered, Rendered, float]]:
        """Input, output and weight of each answer that is learned."""
        literal = self.tokenizer.template.literal
        with at(record.where):
            if "messages" not in record:
                raise UserError("has no messages to learn from")
            turns = [k for k, turn in enumerate(record["messages"]) if _learned(turn)]
            if not turns:
                raise UserError("has no answer to learn")
            turns = turns[-1:] if self.given.train_on == "last" else turns
            self.counts["rows cut into one sequence a turn, added"] += len(turns) - 1
            weight = row_weight(record)
            return [
                (
                    source(record["messages"][:k], record, self.tokenizer),
                    literal(record["messages"][k].get("content") or ""),
                    weight * row_weight(record["messages"][k]),
                )
                for k in turns
            ]

    def _row(
        self, record: Record, ids: list[int], target: list[int], weight: float
    ) -> Iterator[TokenRow]:
        limit, frame, choice = self.given.limit, self.tokenizer.frame, self._overflow.choice
        ids = [*frame.before, *ids, *frame.after]
        target = [*target, *self.stops]
        if limit is not None and max(len(ids), len(target)) > limit:
            cut = {"truncate-prompt": len(target), "truncate-answer": len(ids)}.get(choice)
            if cut is None or cut > limit:
                # the side that may not be cut is too long as well
                longest = [0] * max(len(ids), len(target))
                self._overflow.refuse(TokenRow(longest, [], record["id"], record.where))
                return
            self.counts["longer than --max-length"] += 1
            self.counts["truncated"] += 1
            if len(ids) > limit:
                ids = [*ids[: limit - len(frame.after)], *frame.after]
            target = target[:limit]
        weights = [weight] * len(target)
        yield TokenRow(ids, weights, record["id"], record.where, {"output": target})


def _learned(turn: dict[str, Any]) -> bool:
    return turn["role"] == "assistant" and bool(row_weight(turn))


def source(turns: Sequence[dict[str, Any]], record: Record, tokenizer: Tokenizer) -> Rendered:
    """What the encoder reads: turns by the model's chat template, or their texts line by line."""
    if tokenizer.has_template:
        return tokenizer.template.render(
            turns, tools=record.get("tools"), add_generation_prompt=True
        )
    return tokenizer.template.literal("\n".join(turn.get("content") or "" for turn in turns))


def prompt_ids(record: Record, tokenizer: Tokenizer) -> list[int]:
    """The ids that the encoder reads of a record to be answered."""
    frame = tokenizer.frame
    if "messages" in record:
        text = source(record.prompt(), record, tokenizer)
    elif "text" in record:
        text = tokenizer.template.literal(record["text"])
    else:
        raise UserError("has no messages and no text to answer", where=record.where)
    return [*frame.before, *tokenizer.encode(text).ids, *frame.after]
