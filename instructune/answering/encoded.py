"""Prompts that an encoder reads, and the outputs that grow beside them, a step at a time.

Shapes: B rows, n new rows, T tokens of the longest prompt, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache, EncoderDecoderCache, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from instructune.answering.caches import pairs
from instructune.architectures import start_id

Tokens = Sequence[int]


class EncodedRows:
    """Rows of an encoder-decoder; none can join the others later."""

    joins = False

    def __init__(self, model: PreTrainedModel) -> None:
        adapted: Any = model if hasattr(model, "get_base_model") else None
        self.model: Any = adapted.get_base_model() if adapted else model
        # the adapted model would put its virtual tokens before every token of every step
        self.virtual = (
            adapted if adapted and adapted.active_peft_config.is_prompt_learning else None
        )
        self.start = start_id(self.model.config)
        self.cache = _empty()
        self.mask = torch.ones(0, 0, dtype=torch.long)
        self.states = torch.ones(0)

    def step(self, tokens: Tokens) -> torch.Tensor:
        """Add a token to each row; the logits of the next, (B, V)."""
        found: torch.Tensor = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.states),
            attention_mask=self.mask,
            decoder_input_ids=self._tensor([[token] for token in tokens]),
            past_key_values=self.cache,
            use_cache=True,
        ).logits
        return found[:, -1]

    def change(self, keep: Sequence[int], prompts: Sequence[Tokens]) -> torch.Tensor:
        """Forget all rows but `keep`, or all and begin with `prompts`; the logits of the latter."""
        if not prompts:
            rows: Any = self._tensor(keep)
            self.cache.reorder_cache(rows)
            self.mask, self.states = self.mask[rows], self.states[rows]
            return torch.empty(0)
        assert not keep, "a row cannot join others here"
        width = max(map(len, prompts))
        ids = self._tensor([[*p, *[0] * (width - len(p))] for p in prompts])
        self.mask = self._tensor([[1] * len(p) + [0] * (width - len(p)) for p in prompts])
        self.cache, read = self._begin(ids)
        encoder = self.model.get_encoder()
        self.states = encoder(attention_mask=self.mask, **read).last_hidden_state
        return self.step([self.start] * len(prompts))

    def _begin(self, ids: torch.Tensor) -> tuple[EncoderDecoderCache, dict[str, torch.Tensor]]:
        """The cache of new rows, and what the encoder reads of them.

        An adapter's virtual tokens stand before what is read, or, a prefix, before each output.
        """
        if not self.virtual:
            return _empty(), {"input_ids": ids}
        found = self.virtual.get_prompt(batch_size=len(ids))
        if not isinstance(found, torch.Tensor):
            return found, {"input_ids": ids}
        ahead = found[:, : self.virtual.active_peft_config.num_virtual_tokens]
        words = self.virtual.word_embeddings(ids)
        self.mask = torch.cat([self.mask.new_ones(ahead.shape[:2]), self.mask], dim=1)
        return _empty(), {"inputs_embeds": torch.cat([ahead.to(words.dtype), words], dim=1)}

    def behind(self, rows: Sequence[int], tokens: Sequence[Tokens]) -> torch.Tensor:
        """The logits behind tokens that each of `rows` would get next; (n, T, V).

        A row may be asked for more than once; all stay as they were. What is behind the last
        token of a shorter one means nothing.
        """
        width = max(map(len, tokens))
        chosen: Any = self._tensor(rows)
        found: torch.Tensor = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.states[chosen]),
            attention_mask=self.mask[chosen],
            decoder_input_ids=self._tensor([[*t, *[0] * (width - len(t))] for t in tokens]),
            past_key_values=EncoderDecoderCache(
                _chosen(self.cache.self_attention_cache, chosen),
                _chosen(self.cache.cross_attention_cache, chosen),
            ),
            use_cache=True,
        ).logits
        return found

    def _tensor(self, values: Any) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self.model.device)


def _chosen(cache: Cache, rows: torch.Tensor) -> Cache:
    """A copy of rows, to which more can be added."""
    copy = DynamicCache()
    for i, (keys, values) in enumerate(pairs(cache)):
        copy.update(keys[rows], values[rows], i)
    return copy


def _empty() -> EncoderDecoderCache:
    return EncoderDecoderCache(DynamicCache(), DynamicCache())
