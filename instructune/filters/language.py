"""Drops rows in other languages than those allowed: by script where it tells, else py3langid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from instructune.errors import usage
from instructune.extras import extra
from instructune.filters._sides import Side, sides
from instructune.records import Record
from instructune.texts import words

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_SCRIPTS = {  # scripts that name a language by themselves
    "ja": re.compile("[\u3041-\u30ff]"),
    "ko": re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]"),
    "th": re.compile("[\u0e01-\u0e5b]"),
    "el": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "he": re.compile("[\u05d0-\u05ea]"),
    "ka": re.compile("[\u10a0-\u10ff]"),
    "hy": re.compile("[\u0531-\u0587]"),
}
_LETTER = re.compile(r"[^\W\d_]")
# code, addresses and formulas are in no language
_NO_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|\$[^$\n]+\$|https?://\S+|<[^<>]*>", re.S)
_ENGLISH = frozenset(
    ["the", "of", "and", "to", "that", "with", "for", "this", "are", "what", "how", "you", "it"]
    + ["was", "by", "which", "from", "your", "can", "would", "should", "there", "not", "his"]
)


@dataclass(frozen=True)
class Options:
    """`allow`: ISO 639-1 codes. Less than `min_letters` outside code, or less than
    `min_confidence` in another language, is no reason to drop.
    """

    allow: tuple[str, ...]
    side: Side = "both"
    min_letters: int = 20
    min_confidence: float = 0.9


class Filter:
    """Han and small English words are told at sight; the model is asked about the rest."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._allowed = frozenset(options.allow)
        self._model: Any = None
        self._label = " or ".join(options.allow)
        if wrong := sorted(code for code in self._allowed if not re.fullmatch("[a-z]{2,3}", code)):
            raise usage(
                f"{wrong[0]!r} is no language code", where="--filter language", hint="allow=en+zh"
            )

    def __call__(self, record: Record) -> str | None:
        """Why the record is to be dropped, or None."""
        for name, text in sides(record, self._options.side):
            if not self._passes(text):
                return f"{name} not in {self._label}"
        return None

    def _passes(self, text: str) -> bool:
        text = _NO_PROSE.sub(" ", text) if any(sign in text for sign in "`$<:") else text
        if text.isascii() and "en" in self._allowed and _is_english(text):
            return True
        letters = len(_LETTER.findall(text))
        if letters < self._options.min_letters and not (letters > 4 and not text.isascii()):
            return True
        language = _by_script(text, letters)
        if language:
            return language in self._allowed
        if letters < self._options.min_letters:
            return True
        language, confidence = self._classify(text)
        return language in self._allowed or confidence < self._options.min_confidence

    def _classify(self, text: str) -> tuple[str, float]:
        if self._model is None:
            module = extra("py3langid.langid", "clean", "--filter language")
            made = module.LanguageIdentifier
            self._model = made.from_model_file(module.MODEL_FILE, norm_probs=True)
        return self._model.classify(text[:2000])


def _is_english(text: str) -> bool:
    found = words(text[:600].lower())
    small = [word for word in found if word in _ENGLISH]
    # several of them, for one or two are words of other languages, too
    return len(set(small)) > 2 and len(small) > 0.12 * len(found)


def _by_script(text: str, letters: int) -> str | None:
    """The language of a text whose script has but one, in a third of its letters or more."""
    if text.isascii():
        return None
    for language, script in _SCRIPTS.items():
        if script.search(text) and 3 * len(script.findall(text)) > letters * (
            0.3 if language == "ja" else 1
        ):
            return language
    return "zh" if 4 * len(_HAN.findall(text)) > letters else None  # a sign says more
