"""Strings that look like control tokens but are a row's words, encoded as words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from tokenizers import AddedToken, Encoding
from tokenizers import Tokenizer as Backend

from instructune.templating.templates import Rendered

_GUARD = "\ue000"


class Literals:
    """Encodes texts with literal spans, as if the strings in them were no tokens."""

    def __init__(
        self, backend: Backend, control: Mapping[str, int], special_ids: frozenset[int]
    ) -> None:
        """`control` are all tokens that a row must not forge, `special_ids` those among them
        that stand between words."""
        self._backend, self._control, self._special_ids = backend, control, special_ids
        self._plain: dict[str, Backend] = {}

    def encode(self, text: Rendered, encoding: Encoding) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids and offsets of `text`, of which `encoding` is the plain encoding.

        Each stretch between control tokens in which words became one is encoded anew.
        """
        ids, offsets, control = encoding.ids, encoding.offsets, set(self._control.values())
        forged = {
            i
            for i, (start, end) in enumerate(offsets)
            if ids[i] in control and any(start < b and a < end for a, b in text.literal)
        }
        if not forged:
            return ids, offsets
        walls = [i for i, token in enumerate(ids) if token in self._special_ids and i not in forged]
        new_ids: list[int] = []
        new_offsets: list[tuple[int, int]] = []
        for left, right in pairwise([-1, *walls, len(ids)]):
            if any(left < i < right for i in forged):
                start = offsets[left][1] if left >= 0 else 0
                end = offsets[right][0] if right < len(ids) else len(text.text)
                words = self._words(text.text[start:end], start)
            else:
                words = ids[left + 1 : right], offsets[left + 1 : right]
            new_ids += words[0] + ids[right : right + 1]
            new_offsets += words[1] + offsets[right : right + 1]
        return new_ids, new_offsets

    def _words(self, text: str, at: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Encode the stretch `text`, which starts at character `at`."""
        guard = _GUARD
        while guard in text:
            guard += _GUARD
        # behind another token it is encoded as in the middle of a text, so that tokenizers
        # which mark only the first word do not mark this one
        lead = guard if at else ""
        encoding = self._without_control(guard).encode(lead + text, add_special_tokens=False)
        skip, shift = (1 if lead else 0), at - len(lead)
        offsets = [(start + shift, end + shift) for start, end in encoding.offsets[skip:]]
        return encoding.ids[skip:], offsets

    def _without_control(self, guard: str) -> Backend:
        """A copy of the tokenizer that sees none of its control tokens, only `guard`."""
        if guard not in self._plain:
            plain = Backend.from_str(self._backend.to_str())
            # some are named or stop generation, but are not marked as special
            plain.add_special_tokens([AddedToken(token, special=True) for token in self._control])
            plain.add_tokens([AddedToken(guard, special=False, normalized=False)])
            plain.encode_special_tokens = True
            self._plain[guard] = plain
        return self._plain[guard]
