"""Texts as the tokens that overlap metrics count."""

from __future__ import annotations

import re
import string

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
# Chinese characters and Japanese kana are written without spaces between words
_UNSPACED = (
    "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
    "\U00020000-\U0002fa1f\U00030000-\U000323af"
)
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def squad_tokens(text: str) -> list[str]:
    """Tokens by the SQuAD rules (Rajpurkar et al. 2016, arXiv:1606.05250).

    Lower case; ASCII punctuation removed, accents kept; the articles a, an, the removed; split
    at white space. Beyond SQuAD, each Han character and kana is a token of its own.
    """
    bare = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return bare.split() if bare.isascii() else _TOKEN.findall(bare)
