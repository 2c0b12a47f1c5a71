"""A model's tokenizer and chat template, read from its folder without transformers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import Encoding, processors
from tokenizers import Tokenizer as Backend

from instructune import files
from instructune.errors import Exit, UserError
from instructune.jsonl import load_document, pretty
from instructune.lineage import fingerprint
from instructune.templating.literals import Literals
from instructune.templating.templates import FALLBACK, ChatTemplate, Rendered, open_template

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
_NAMED = tuple(f"{kind}_token" for kind in ("bos", "eos", "pad", "unk", "sep", "cls", "mask"))


class Encoded(NamedTuple):
    """Token ids, and for each the `(start, end)` of its characters in the text."""

    ids: list[int]
    offsets: Sequence[tuple[int, int]]


class Frame(NamedTuple):
    """Ids that a tokenizer puts around a text, and around the two of a pair.

    `[CLS] a [SEP] b [SEP]` in BERT, whose `second_type` 1 marks all of the second part.
    """

    before: tuple[int, ...]
    between: tuple[int, ...]
    after: tuple[int, ...]
    after_pair: tuple[int, ...]
    second_type: int


class _Offsets(Sequence[tuple[int, int]]):
    """The offsets of an encoding, looked up: of hundreds of tokens a handful is asked for."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding

    def __len__(self) -> int:
        return len(self._encoding)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return self._encoding.offsets[i]
        if not -len(self) <= i < len(self):
            raise IndexError(i)
        return self._encoding.token_to_chars(i % len(self))


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
        self._backend = _backend(path)
        self.config = _document(folder / "tokenizer_config.json")
        self.tokens = self._special_tokens()
        self.frame = self._frame()
        # byte-level post-processors trim the blank off a token's offsets, which would hide that
        # a token reaches back into the prompt; special tokens come from the template alone
        self._backend.post_processor = processors.Sequence([])
        self._literals = Literals(self._backend, self._control, self.special_ids)
        source, self.template_name = self._template_source(template)
        self.has_template = template is not None or self.template_name == "model"
        try:
            self.template = ChatTemplate(source, self.tokens, sorted(self._control))
        except UserError as error:
            error.where = template or str(folder)
            raise

    @cached_property
    def _control(self) -> dict[str, int]:
        """Control tokens by their texts: the special ones, the named ones and those that stop."""
        added = self._backend.get_added_tokens_decoder()
        found = {t.content: i for i, t in added.items() if t.special or i in self.stop_ids}
        named = {text: self._id(name) for name, text in self.tokens.items()}
        return found | {text: i for text, i in named.items() if i is not None}

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Ids of all control tokens; not of the one for unknown characters, which are words."""
        unknown = {i for text, i in self._control.items() if text == self.tokens.get("unk_token")}
        named = {self._id(name) for name in self.tokens if name != "unk_token"}
        return frozenset(self._control.values()) - (unknown - named)

    @property
    def control(self) -> tuple[str, ...]:
        """Texts of all control tokens, the one for unknown characters among them."""
        return tuple(self._control)

    def _special_tokens(self) -> dict[str, str]:
        table = _document(self.folder / "special_tokens_map.json") | self.config
        found = {}
        for name in _NAMED:
            value = table.get(name)
            text = value.get("content") if isinstance(value, dict) else value
            if isinstance(text, str) and self._backend.token_to_id(text) is not None:
                found[name] = text
        return found

    @property
    def lead(self) -> list[int]:
        """Ids that this tokenizer puts before a plain text; chats get theirs from the template."""
        return list(self.frame.before)

    def _frame(self) -> Frame:
        """What stands around one text and around two, as the post-processor of the files has it."""
        one = self._backend.encode("a", add_special_tokens=True)
        two = self._backend.encode("a", "a", add_special_tokens=True)
        first, last = _ends(one)
        a, b = (_ends(two, part) for part in (0, 1))
        return Frame(
            tuple(one.ids[:first]),
            tuple(two.ids[a[1] : b[0]]),
            tuple(one.ids[last:]),
            tuple(two.ids[b[1] :]),
            two.type_ids[b[0]],
        )

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
    def mask_id(self) -> int | None:
        """Id of the token that hides another."""
        return self._id("mask_token")

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
        return self.encode_batch([Rendered(text) if isinstance(text, str) else text])[0]

    def encode_batch(self, texts: Sequence[Rendered]) -> list[Encoded]:
        """Encode many at once, on all cores."""
        encodings = self._backend.encode_batch([t.text for t in texts], add_special_tokens=False)
        return [
            Encoded(*self._literals.encode(text, encoding))
            if text.literal
            else Encoded(encoding.ids, _Offsets(encoding))
            for text, encoding in zip(texts, encodings, strict=True)
        ]

    def decode(self, ids: Sequence[int], *, keep_special: bool = False) -> str:
        """Ids back to text, without control tokens unless asked."""
        if not keep_special:
            ids = [i for i in ids if i not in self.special_ids]
        return self._backend.decode(list(ids), skip_special_tokens=False)

    def token(self, i: int) -> str:
        """One id as it stands in the vocabulary, for people to look at."""
        return self._backend.id_to_token(i) or f"<{i}>"

    def save(self, folder: Path, *, chats: bool = True) -> None:
        """Write the tokenizer's files as transformers reads them.

        The template is the model's own or was asked for, or the model is to answer `chats`.
        """
        for name in FILES:
            if (self.folder / name).is_file() and name != "tokenizer_config.json":
                shutil.copyfile(self.folder / name, folder / name)
        config = {k: v for k, v in self.config.items() if k != "chat_template"}
        (folder / "tokenizer_config.json").write_bytes(pretty(config))
        if chats or self.has_template:
            (folder / TEMPLATE_FILE).write_text(self.template.source, encoding="utf-8")


def _backend(path: Path) -> Backend:
    try:
        backend = Backend.from_file(str(path))
    except Exception as error:  # the library raises nothing more special
        raise UserError(f"not a tokenizer ({error})", where=str(path), code=Exit.MISMATCH) from None
    backend.no_padding()
    backend.no_truncation()
    return backend


def _ends(encoding: Encoding, part: int | None = None) -> tuple[int, int]:
    """The first token of the text, or of one of two, and the one behind its last."""
    found = [
        i
        for i, special in enumerate(encoding.special_tokens_mask)
        if not special and part in (None, encoding.sequence_ids[i])
    ]
    return found[0], found[-1] + 1


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    value = load_document(path.read_bytes(), str(path))
    if not isinstance(value, dict):
        raise UserError("must hold a JSON object", where=str(path), code=Exit.MISMATCH)
    return value
