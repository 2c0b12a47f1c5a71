"""Which token ends an answer: found by asking the chat template, not by a list of models."""

from __future__ import annotations

import os

from instructune.errors import Exit, UserError
from instructune.records import Message
from instructune.tokenizer import Encoded, Tokenizer

_ASKED, _PROBE = "Asked7", "Probe7"  # texts that no template writes by itself
_CALL = "Call12345"  # Mistral wants ids of nine letters and digits


class TurnEnds:
    """The ids that end answers by a tokenizer's template, each looked up once."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._known: dict[bool, int] = {}

    def of(self, message: Message) -> int:
        """The id that ends turns such as `message`: those with calls, or those without."""
        calls = bool(message.get("tool_calls"))
        if calls not in self._known:
            self._known[calls] = self._found(calls)
        return self._known[calls]

    def end_of_text(self) -> int:
        """The tokenizer's eos; raises UserError where it has none."""
        if self.tokenizer.eos_id is None:
            raise UserError(
                "no token ends an answer: the template writes none, the tokenizer has no eos_token",
                code=Exit.MISMATCH,
            )
        return self.tokenizer.eos_id

    def _found(self, calls: bool) -> int:
        """Look at what stands behind an answer at the end of a chat, and before the next turn.

        A control token that stands there in both cases ends the turn (Phi-3 adds an end of text
        to a chat's last one); else the one at the end; else the next role's token (GLM); else eos.
        """
        asked: Message = {"role": "user", "content": _ASKED}
        answer: Message = {"role": "assistant", "content": _PROBE}
        follow = asked
        if calls:
            function = {"name": _PROBE, "arguments": {}}
            call = {"id": _CALL, "type": "function", "function": function}
            answer = {"role": "assistant", "content": "", "tool_calls": [call]}
            follow = {"role": "tool", "content": _ASKED, "name": _PROBE, "tool_call_id": _CALL}
        what = "tool calls" if calls else "answers"
        text, last = self._behind(what, [asked, answer])
        _, inner = self._behind(what, [asked, answer, follow])
        special = self.tokenizer.special_ids
        common = os.path.commonprefix([last.ids, inner.ids or last.ids])
        for size in (len(common), len(last.ids)):
            if found := closing(text, last, 0, size, special):
                return last.ids[found[-1]]
        if common == last.ids and inner.ids[len(common) :] and inner.ids[len(common)] in special:
            return inner.ids[len(common)]
        return self.end_of_text()

    def _behind(self, what: str, messages: list[Message]) -> tuple[str, Encoded]:
        """What the template writes behind the probe; an error if it leaves the probe out."""
        try:
            text = self.tokenizer.template.render(messages).text
        except UserError:  # it may want a system turn, or know no tools
            return "", self.tokenizer.encode("")
        for probe, name in ((_ASKED, "questions"), (_PROBE, what)):
            if probe not in text:  # a template for images, or one without tools
                raise UserError(
                    f"the chat template does not write {name}",
                    hint="choose another --template",
                    code=Exit.MISMATCH,
                )
        text = text.partition(_PROBE)[2]
        return text, self.tokenizer.encode(text)


def closing(text: str, encoded: Encoded, lo: int, hi: int, special: frozenset[int]) -> list[int]:
    """Indices in [lo, hi) of the control tokens that only blanks follow there."""
    found = []
    for i in range(hi - 1, lo - 1, -1):
        start, end = encoded.offsets[i]
        if encoded.ids[i] in special:
            found.append(i)
        elif text[start:end].strip():
            break
    return found[::-1]
