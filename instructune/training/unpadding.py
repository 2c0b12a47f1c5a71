"""Rows of unequal lengths through a model's layers end to end, without their padding.

Shapes: B rows, T tokens of the longest, N tokens in all, H width, A attention heads, D their width.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from instructune.libraries import quiet
from instructune.training.stacks import stacks

NAME = "sdpa_unpadded"
_STEP = 0.9  # rows are attended to apart where they are shorter by that
_ONE_MORE = 10_000  # what attending to one more group costs, in scores of queries and keys
_HEADS = 8  # where a config has no number of them
_TRIED = (5, 3, 2)  # lengths of rows to prove it by
_TOLERANCE = 1e-4  # of the greatest score


class Group(NamedTuple):
    """Rows of about one length that are attended to together, padded to the longest of them."""

    rows: torch.Tensor  # (b,), of the B
    length: int
    tokens: int
    gather: torch.Tensor | None  # (b * t,) of their own tokens; None where no row is padded
    scatter: torch.Tensor | None  # (n,) of the b * t
    real: torch.Tensor | None  # (b, t), what is no padding

    def padded(self, states: torch.Tensor) -> torch.Tensor:
        """Of their states (n, A, D), (b, A, t, D)."""
        if self.gather is not None:
            states = states.index_select(0, self.gather)
        return states.unflatten(0, (len(self.rows), self.length)).transpose(1, 2)

    def flat(self, states: torch.Tensor) -> torch.Tensor:
        """Of (b, t, A, D) those of tokens, (n, A, D)."""
        states = states.flatten(0, 1)
        return states if self.scatter is None else states.index_select(0, self.scatter)

    def mask(self, whole: torch.Tensor | None, causal: bool) -> torch.Tensor | None:
        """Who may look at whom, (b or 1, 1, t or 1, t); `whole` is the model's own, (B, 1, T, T).

        Padding is on the right, where a causal model never looks.
        """
        own = None
        if whole is not None:
            own = whole if len(whole) == 1 else whole[self.rows]
            own = own[..., : self.length, : self.length]
        if causal or self.real is None:
            return own
        keys = self.real[:, None, None]
        return keys if own is None else own & keys


class Layout(NamedTuple):
    """Where the tokens of a padded batch are; those of the longest rows come first."""

    shape: tuple[int, int]  # B, T
    places: torch.Tensor  # (N,), of the B * T
    groups: list[Group]

    def flat(self, states: torch.Tensor) -> torch.Tensor:
        """States (B, T, ...), or (1, T, ...) that are every row's, as (1, N, ...)."""
        one = len(states) == 1
        places = self.places % self.shape[1] if one else self.places
        return states.flatten(0, 1).index_select(0, places)[None]

    def padded(self, states: torch.Tensor) -> torch.Tensor:
        """States (1, N, H) as (B, T, H), 0 where there is no token."""
        empty = states.new_zeros(self.shape[0] * self.shape[1], states.shape[-1])
        return empty.index_copy(0, self.places, states[0]).unflatten(0, self.shape)

    def is_padded(self, value: Any) -> bool:
        """Whether something has a place for every place of the padded batch."""
        return torch.is_tensor(value) and value.shape[:2] in (self.shape, (1, self.shape[1]))


_LAYOUT: ContextVar[Layout | None] = ContextVar("layout", default=None)
_PARTED: ContextVar[int] = ContextVar("parted", default=0)  # how often attention took rows apart


def layout_of(mask: torch.Tensor, heads: int) -> Layout | None:
    """The layout of a batch by its mask (B, T), padded on the right; None where nothing is."""
    lengths = mask.sum(1).numpy()
    if lengths.min() == mask.shape[1]:
        return None
    order = np.argsort(-lengths, kind="stable")
    rows, length = mask.shape
    within = np.arange(length) < lengths[order, None]
    places = (order[:, None] * length + np.arange(length))[within]
    cuts = _cuts(lengths[order], _ONE_MORE // heads)
    groups = [
        _group(order[a:b], lengths[order[a:b]])
        for a, b in zip(cuts, [*cuts[1:], rows], strict=True)
    ]
    return Layout((rows, length), torch.from_numpy(places), groups)


def _group(rows: np.ndarray, lengths: np.ndarray) -> Group:
    longest, tokens = int(lengths[0]), int(lengths.sum())
    chosen = torch.from_numpy(rows)
    if lengths[-1] == longest:
        return Group(chosen, longest, tokens, None, None, None)
    real = np.arange(longest) < lengths[:, None]
    # padding is a copy of a row's first token: it is never looked at, and what it sees is dropped
    firsts = (np.cumsum(lengths) - lengths)[:, None]
    gather = firsts + np.where(real, np.arange(longest), 0)
    indices = (torch.from_numpy(one) for one in (gather.ravel(), np.flatnonzero(real), real))
    return Group(chosen, longest, tokens, *indices)


def _cuts(lengths: np.ndarray, one_more: int) -> list[int]:
    """Where groups of rows, the longest first, begin, so that attending to all costs least."""
    places = [0]
    for i, length in enumerate(lengths):
        if length < _STEP * lengths[places[-1]]:
            places.append(i)
    ends = [*places[1:], len(lengths)]
    least, cut = [0.0] * (len(places) + 1), [0] * len(places)
    for i in reversed(range(len(places))):
        area = int(lengths[places[i]]) ** 2
        costs = [
            area * (end - places[i]) + one_more + least[i + 1 + n] for n, end in enumerate(ends[i:])
        ]
        best = min(range(len(costs)), key=costs.__getitem__)
        least[i], cut[i] = costs[best], i + 1 + best
    found, i = [], 0
    while i < len(places):
        found.append(places[i])
        i = cut[i]
    return found


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
