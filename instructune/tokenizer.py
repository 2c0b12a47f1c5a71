"""A model's tokenizer and chat template, read from its folder without transformers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Tokenizer as Backend
from tokenizers import processors

from instructune import files
from instructune.errors import Exit, UserError
from instructune.jsonl import load_document, pretty
from instructune.lineage import fingerprint
from instructune.templates import FALLBACK, ChatTemplate, Rendered, open_template

FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
)
TEMPLATE_FILE = "chat_template.jinja"
_NAMED = ("bos_token", "eos_token", "pad_token", "unk_token")


class Encoded(NamedTuple):
    """Token ids, and for each the `(start, end)` of its characters in the text."""

    ids: list[int]
    offsets: list[tuple[int, int]]


class Tokenizer:
    """Texts to ids and back, with the model's special tokens and chat template."""

    def __init__(self, folder: Path, template: str | None = None) -> None:
        """Read `folder`; `template` names a built-in template or a file to use instead."""
        path = folder / "tokenizer.json"
        if not path.is_file():
            raise UserError(
                "no tokenizer.json",
                where=str(folder),
                hint="save it there with transformers: AutoTokenizer(...).save_pretrained",
                code=Exit.NO_INPUT,
            )
        self.folder = folder
        self._backend = Backend.from_file(str(path))
        self._backend.no_padding()
        self._backend.no_truncation()
        # byte-level post-processors trim the blank off a token's offsets, which would hide that
        # a token reaches back into the prompt; special tokens come from the template alone
        self._backend.post_processor = processors.Sequence([])
        self.config = _document(folder / "tokenizer_config.json")
        self.tokens = self._special_tokens()
        source, self.template_name = self._template_source(template)
        self.template = ChatTemplate(source, self.tokens, sorted(self._control))

    @cached_property
    def _control(self) -> dict[str, int]:
        added = self._backend.get_added_tokens_decoder()
        return {token.content: i for i, token in added.items() if token.special}

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of all special tokens."""
        return frozenset(self._control.values())

    def _special_tokens(self) -> dict[str, str]:
        table = _document(self.folder / "special_tokens_map.json") | self.config
        found = {}
        for name in _NAMED:
            value = table.get(name)
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str) and self._backend.token_to_id(text) is not None:
                found[name] = text
        return found

    def _template_source(self, asked: str | None) -> tuple[str, str]:
        if asked:
            return open_template(asked), asked
        path = self.folder / TEMPLATE_FILE
        if path.is_file():
            return path.read_text(encoding="utf-8"), "model"
        own = self.config.get("chat_template")
        if isinstance(own, list):  # several named ones
            own = next((t["template"] for t in own if t.get("name") == "default"), None)
        if isinstance(own, str):
            return own, "model"
        return open_template(FALLBACK), FALLBACK

    @cached_property
    def stop_ids(self) -> frozenset[int]:
        """Ids at which generation ends, by the tokenizer and by generation_config.json."""
        ends = _document(self.folder / "generation_config.json").get("eos_token_id")
        if ends is None:
            ends = _document(self.folder / "config.json").get("eos_token_id")
        stops = set(ends) if isinstance(ends, list) else {ends}
        stops.add(self.eos_id)
        return frozenset(i for i in stops if isinstance(i, int) and i < self.size)

    @property
    def size(self) -> int:
        """Number of ids, added tokens included."""
        return self._backend.get_vocab_size()

    @property
    def eos_id(self) -> int | None:
        """Id of the end-of-text token."""
        return self._id("eos_token")

    @property
    def pad_id(self) -> int:
        """An id to fill rows with; what it is never matters, padding is masked by length."""
        for name in ("pad_token", "eos_token"):
            if (found := self._id(name)) is not None:
                return found
        return 0

    def _id(self, name: str) -> int | None:
        return self._backend.token_to_id(self.tokens[name]) if name in self.tokens else None

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits: equal ones turn equal messages into equal ids."""
        return fingerprint(
            {
                "tokenizer": files.sha256_file(self.folder / "tokenizer.json"),
                "template": self.template.fingerprint,
            }
        )

    def encode(self, text: str | Rendered) -> Encoded:
        """Encode once, whole, adding nothing; literal spans never become control tokens."""
        if isinstance(text, str):
            text = Rendered(text)
        if text.literal:
            return self._encode_pieces(text)
        encoding = self._backend.encode(text.text, add_special_tokens=False)
        return Encoded(encoding.ids, encoding.offsets)

    def encode_batch(self, texts: Sequence[Rendered]) -> list[Encoded]:
        """Encode many at once, on all cores."""
        plain = [text.text for text in texts if not text.literal]
        done = iter(self._backend.encode_batch(plain, add_special_tokens=False))
        return [
            self._encode_pieces(text)
            if text.literal
            else Encoded((encoding := next(done)).ids, encoding.offsets)
            for text in texts
        ]

    def _encode_pieces(self, text: Rendered) -> Encoded:
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        guard = next(iter(self._control))
        position = 0
        for start, end in (*text.literal, (len(text.text), len(text.text))):
            # behind a control token a piece is encoded as in the middle of a text, so that
            # tokenizers which mark only the first word do not mark every piece
            lead = guard if position else ""
            self._append(ids, offsets, lead, text.text[position:start], position)
            self._backend.encode_special_tokens = True
            self._append(ids, offsets, "", text.text[start:end], start)
            self._backend.encode_special_tokens = False
            position = end
        return Encoded(ids, offsets)

    def _append(
        self, ids: list[int], offsets: list[tuple[int, int]], lead: str, piece: str, at: int
    ) -> None:
        if not piece:
            return
        encoding = self._backend.encode(lead + piece, add_special_tokens=False)
        skip, shift = (1 if lead else 0), at - len(lead)
        ids += encoding.ids[skip:]
        offsets += [(a + shift, b + shift) for a, b in encoding.offsets[skip:]]

    def decode(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        """Ids back to text, without special tokens unless asked."""
        return self._backend.decode(list(ids), skip_special_tokens=not keep_special)

    def token(self, i: int) -> str:
        """One id as it stands in the vocabulary, for people to look at."""
        return self._backend.id_to_token(i) or f"<{i}>"

    def save(self, folder: Path) -> None:
        """Write the tokenizer's files and its template, as transformers reads them."""
        for name in FILES:
            if (self.folder / name).is_file() and name != "tokenizer_config.json":
                shutil.copyfile(self.folder / name, folder / name)
        config = {k: v for k, v in self.config.items() if k != "chat_template"}
        (folder / "tokenizer_config.json").write_bytes(pretty(config))
        (folder / TEMPLATE_FILE).write_text(self.template.source, encoding="utf-8")


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    value = load_document(path.read_bytes(), str(path))
    if not isinstance(value, dict):
        raise UserError("must hold a JSON object", where=str(path), code=Exit.MISMATCH)
    return value

