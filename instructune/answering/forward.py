"""Token ids and a cache in, the logits of the next tokens out, whatever the model's forward takes.

Shapes: B rows, T new tokens, V vocabulary.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from transformers import Cache, DynamicCache, PreTrainedConfig, PreTrainedModel

from instructune.answering.caches import Pair, grown, is_plain, pairs
from instructune.errors import Exit, UserError

CACHES = ("past_key_values", "cache_params")  # what models call the cache, the latter in Mamba


class Forward:
    """A model, with or without an adapter, asked for the next token's logits."""

    def __init__(self, model: PreTrainedModel) -> None:
        adapted: Any = model if hasattr(model, "get_base_model") else None
        inner = adapted.get_base_model() if adapted else model
        self.model, self.device = model, model.device
        self.virtual: list[Pair] = []  # what an adapter puts before every prompt
        self.config: PreTrainedConfig = model.config.get_text_config(decoder=True)
        self.takes = frozenset(inspect.signature(inner.forward).parameters)
        self._cache = next((name for name in CACHES if name in self.takes), None)
        if self._cache is None:
            raise UserError(
                f"models of type {self.config.model_type} cannot go on token by token",
                code=Exit.MISMATCH,
            )
        if adapted and adapted.active_peft_config.is_prompt_learning:
            if not is_plain(self.config):
                raise UserError(
                    f"an adapter with virtual tokens does not fit {self.config.model_type} models",
                    code=Exit.MISMATCH,
                )
            # the adapted model would put its virtual tokens before every token of every step
            self.model, self.virtual = inner, _virtual(adapted, inner)

    @property
    def attends(self) -> bool:
        """Whether any layer looks back at tokens, rather than at a state that holds them all."""
        return self._cache == CACHES[0]

    def cache(self, count: int) -> Cache:
        """For `count` rows that begin, behind an adapter's virtual tokens."""
        plain = is_plain(self.config)
        return grown(self.virtual, count) if plain else DynamicCache(config=self.config)

    def __call__(
        self,
        ids: torch.Tensor,
        cache: Cache,
        *,
        mask: torch.Tensor | None = None,
        positions: torch.Tensor | None = None,
        ends: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The logits behind each row's last token, or behind the one at index `ends`; (B, V)."""
        given = {"logits_to_keep": 1 if ends is None else ends[:, None], "position_ids": positions}
        taken: dict[str, Any] = {k: v for k, v in given.items() if k in self.takes}
        taken[self._cache] = cache  # type: ignore[index]
        logits = self.model(input_ids=ids, attention_mask=mask, use_cache=True, **taken).logits
        if ends is None or "logits_to_keep" in taken:
            return logits[:, -1]
        return logits[torch.arange(len(ids), device=self.device), ends]

    def kept(self, ids: torch.Tensor, cache: Cache, keep: torch.Tensor) -> torch.Tensor:
        """The logits behind the tokens where `keep` (B, T) is true; (N, V), row by row."""
        taken: dict[str, Any] = {"logits_to_keep": keep} if "logits_to_keep" in self.takes else {}
        taken[self._cache] = cache  # type: ignore[index]
        logits = self.model(input_ids=ids, use_cache=True, **taken).logits
        return logits.reshape(-1, logits.shape[-1]) if "logits_to_keep" in taken else logits[keep]

    def tensor(self, values: Sequence[Any]) -> Any:
        """Whole numbers, nested as they are, where the model is."""
        return torch.tensor(values, dtype=torch.long, device=self.device)


def _virtual(adapted: Any, inner: Any) -> list[Pair]:
    """Keys and values of one row of an adapter's virtual tokens (prefix, prompt, p-tuning)."""
    prompt = adapted.get_prompt(batch_size=1)
    if isinstance(prompt, torch.Tensor):  # embeddings (1, T, hidden)
        cache = grown([], 1)
        inner(inputs_embeds=prompt.to(inner.dtype), past_key_values=cache, use_cache=True)
        return pairs(cache)
    return pairs(getattr(prompt, "self_attention_cache", prompt))
