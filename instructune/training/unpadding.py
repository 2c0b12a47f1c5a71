"""Rows of unequal lengths through a model's layers end to end, without their padding.

Shapes: N tokens of all rows, H width, A attention heads, D their width.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from instructune.libraries import quiet
from instructune.training.layouts import Layout, layout_of
from instructune.training.stacks import stacks

NAME = "sdpa_unpadded"
_HEADS = 8  # where a config has no number of them
_TRIED = (5, 3, 2)  # lengths of rows to prove it by
_TOLERANCE = 1e-4  # of the greatest score


_LAYOUT: ContextVar[Layout | None] = ContextVar("layout", default=None)
_PARTED: ContextVar[int] = ContextVar("parted", default=0)  # how often attention took rows apart


def unpad(model: Any) -> bool:
    """Let the layers of `model` pass over padding from now on; False where that is not proven.

    Between its first layer and its last one, states are those of tokens alone, (1, N, H); only
    attention takes rows apart. What comes before and after sees them padded, as ever. The
    forward must get `attention_mask` where rows are padded, of a causal model too. Encoders and
    decoders with torch's attention can do it, on a CPU; encoder-decoders and prompts cannot.
    """
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    virtual = getattr(getattr(model, "active_peft_config", None), "is_prompt_learning", False)
    found = list(stacks(inner.base_model).values())
    before = inner.config._attn_implementation
    if len(found) != 1 or virtual or before != "sdpa" or inner.device.type != "cpu":
        return False
    (layers,) = found
    wanted, _ = _tried(model, inner)
    with quiet():
        inner.set_attn_implementation(NAME)
    handles = _hooked(inner.base_model, layers)
    if wanted is not None and _is_proven(wanted, *_tried(model, inner), layers):
        return True
    for handle in handles:
        handle.remove()
    inner.set_attn_implementation(before)
    return False


def _is_proven(
    wanted: torch.Tensor, scores: torch.Tensor | None, attended: int, layers: Any
) -> bool:
    """Whether scores are those wanted, and no layer lets tokens meet but by attention."""
    if scores is None or attended < len(layers):
        return False
    if any(isinstance(module, torch.nn.Conv1d) for module in layers.modules()):
        return False  # which half precision might hide
    near = max(_TOLERANCE, 2 * torch.finfo(wanted.dtype).eps) * float(wanted.abs().max())
    return torch.allclose(scores, wanted, rtol=0, atol=near)


def is_unpadded(model: Any) -> bool:
    """Whether a model's layers pass over padding."""
    config = getattr(model, "config", None)
    return config is not None and config._attn_implementation == NAME


def _hooked(base: Any, layers: Any) -> list[Any]:
    heads = getattr(base.config.get_text_config(), "num_attention_heads", _HEADS)

    def begin(_: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        mask = kwargs.get("attention_mask")
        if mask is not None and mask.ndim == 2:
            _LAYOUT.set(layout_of(mask, heads))
            kwargs = kwargs | {"attention_mask": None}
        return args, kwargs

    def end(*_: Any) -> None:
        _LAYOUT.set(None)

    def flat(_: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        layout = _LAYOUT.get()
        return None if layout is None else (_flat(layout, args), _flat(layout, kwargs))

    def padded(_: Any, __: Any, output: Any) -> Any:
        layout = _LAYOUT.get()
        if layout is None:
            return output
        if isinstance(output, tuple):
            return (layout.padded(output[0]), *output[1:])
        return layout.padded(output)

    return [
        base.register_forward_pre_hook(begin, with_kwargs=True),
        base.register_forward_hook(end, always_call=True),
        *(layer.register_forward_pre_hook(flat, with_kwargs=True) for layer in layers),
        layers[-1].register_forward_hook(padded),
    ]


def _flat(layout: Layout, value: Any) -> Any:
    """Arguments of a layer, those flat that have a place for each of the padded batch."""
    if isinstance(value, tuple):
        return tuple(_flat(layout, one) for one in value)
    if isinstance(value, Mapping):
        return {key: _flat(layout, one) for key, one in value.items()}
    return layout.flat(value) if layout.is_padded(value) else value


def _attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Torch's attention, (1, A, N, D) to (1, N, A, D): of one group of rows after the other."""
    layout = _LAYOUT.get()
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    _PARTED.set(_PARTED.get() + 1)
    told = kwargs.get("is_causal")
    causal = getattr(module, "is_causal", True) if told is None else told
    sizes = [group.tokens for group in layout.groups]
    states = (one.transpose(1, 2)[0].split(sizes) for one in (query, key, value))
    found = []
    for group, *own in zip(layout.groups, *states, strict=True):
        q, k, v = (group.padded(one) for one in own)
        mask = group.mask(attention_mask, causal)
        seen, _ = sdpa_attention_forward(module, q, k, v, mask, **kwargs)
        found.append(group.flat(seen))
    return torch.cat(found)[None], None


AttentionInterface.register(NAME, _attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


@torch.no_grad()
def _tried(model: Any, inner: Any) -> tuple[torch.Tensor | None, int]:
    """What rows of unequal lengths give, None where they cannot; how often they were parted."""
    config = inner.config.get_text_config()
    pad = getattr(config, "pad_token_id", None) or 0
    mask = torch.arange(max(_TRIED)) < torch.tensor(_TRIED)[:, None]
    ids = torch.arange(1, 1 + mask.numel()).reshape(mask.shape) % config.vocab_size
    ids = torch.where(ids == pad, (ids + 1) % config.vocab_size, ids)
    before, was_training = _PARTED.get(), model.training
    model.eval()
    try:
        found = model(input_ids=torch.where(mask, ids, pad), attention_mask=mask.long())[0]
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError):
        return None, 0
    finally:
        model.train(was_training)
    return found[mask] if found.ndim > 2 else found, _PARTED.get() - before
