"""Whether a prompt forbids what a rule took for asked: "do not use bullet points", 不要用英文."""

from __future__ import annotations

import re

from instructune.constraints.found import Found

# rules that read a negation themselves
_READ = frozenset(
    ["no_commas", "no_punctuation", "forbid_words", "forbid_script", "chinese_punctuation"]
)
_NEAR = 60  # characters before a constraint in which it may be forbidden

# words that end what is forbidden, or forbid the opposite
_ELSE = r"and|but|then|instead|rather|please|also|so|which|that"
_OPPOSITE = r"only|just|forget\w*|fail|omit\w*|miss|skip|leave|need|matter|have|less|fewer|more"
_ENGLISH = re.compile(
    r"(?:\b(?:not|never|cannot|avoid|avoiding|without|refrain from)|n't)"
    rf"(?:\s+(?!(?:{_ELSE}|{_OPPOSITE})\b)[\w'/-]+){{0,5}}\s*\"?$",
    re.IGNORECASE,
)
_NEXT = re.compile(r"\w\s+(?:and|but|then|instead)\s+[a-z]", re.IGNORECASE)
NOT = r"(?:不要|不能|不得|不可以?|不准|不许|不許|不使用|不含|不带|不出现|禁止|避免|请勿|請勿|勿|别)"
_CHINESE = re.compile(rf"{NOT}(?!忘|漏|只|仅|超过|超過|少于|多于|低于)[^。，,；;\n]{{0,6}}$")
_WITHIN = re.compile(rf"{NOT}(?!忘|漏|只|仅|超过|超過|少于|多于|低于)")


def negated(text: str, found: Found) -> bool:
    """Whether every place of the evidence stands behind a negation, or holds one in Chinese."""
    if found.check in _READ:
        return False
    evidence = found.evidence.partition(" … ")[0]
    if _WITHIN.search(evidence):
        return True
    if _NEXT.search(evidence):  # "do not be rude and answer in French"
        return False
    pattern = r"\s+".join(map(re.escape, evidence.split()))
    places = [match.start() for match in re.finditer(pattern, text, re.IGNORECASE)]
    return bool(places) and all(_behind(text, place) for place in places)


def _behind(text: str, place: int) -> bool:
    before = text[max(0, place - _NEAR) : place]
    return bool(_ENGLISH.search(before) or _CHINESE.search(before))
