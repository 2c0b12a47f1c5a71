"""Answers that refuse: cannot help, will not say, are only a language model (en, zh)."""

from __future__ import annotations

import re

WITHIN = 200  # signs of an answer that are looked at, for refusals come first

_CANNOT = (
    r"(?:can(?:no|')?t|can not|won't|will not|do not|don't|must decline(?: to)?"
    r"|(?:am|'m) (?:not able|unable)(?: to)?"
    r"|(?:am|'m) not (?:comfortable|permitted|allowed|programmed|going)(?: to)?)"
)
_DO = (
    r"(?:assist|help|comply|provide|fulfil+|answer|respond|discuss|engage|create|generate|write"
    r"|produce|support|do that|do this|share|offer|give|participate|continue|process|complete"
    r"|condone|promote|encourage|access|browse|open|see|view|tell you|feel comfortable"
    r"|have (?:enough|access|the ability))"
)
_ENGLISH = re.compile(
    rf"(?:\bsorry|\bapologi[sz]e|\bunfortunately|\bafraid|^)\b[^.!?\n]{{0,40}}\bI(?:'m| am)?\s*"
    rf"(?:just |simply )?{_CANNOT}\s+(?:\w+ly )?{_DO}\b(?! but| that you)"
    r"|\bI (?:can(?:no|')?t|can not|won't|will not|am unable to) (?:\w+ly )?"
    r"(?:assist|help you with|comply with|fulfil+|engage in|support|condone|participate in"
    r"|provide (?:you with )?(?:any |that |this |instructions|information|advice))"
    r"|\b(?:against|violat\w+) (?:my|our|the)"
    r" (?:guidelines|polic(?:y|ies)|programming|principles)\b"
    r"|\b(?:it is|it's|it would be) (?:not (?:appropriate|ethical|possible) for me|inappropriate)"
    r" to\b",
    re.I,
)
_ENGLISH_SELF = re.compile(
    r"\bas an? (?:AI|artificial intelligence|(?:large )?language model|virtual assistant|chatbot)\b"
    r"[^.!?\n]{0,60}\b(?:I|my)\b[^.!?\n]{0,40}"
    r"(?:can(?:no|')?t|can not|don't|do not|not able|unable)",
    re.I,
)
_CHINESE = re.compile(
    r"(?:抱歉|对不起|很遗憾|不好意思，)[^。！？\n]{0,16}我[^。！？\n]{0,8}"
    r"(?:不能|无法|没法|没办法|不可以|不便|拒绝)(?!不|忍)"
    r"|我(?:不能|无法|没法|没办法|不可以)(?:为你|为您|给你|给您|向你|向您)?"
    r"(?:提供|协助|帮助你|帮助您|回答|满足|完成|参与|支持|讨论|生成|执行|透露|回应)"
    r"|(?:违反|不符合)了?(?:我的|相关|平台)?(?:准则|政策|道德|规定|原则)[^。\n]{0,12}"
    r"(?:不能|无法|拒绝)"
)
_CHINESE_SELF = re.compile(
    r"作为(?:一个|一名|一款)?(?:AI|人工智能|大?语言模型|虚拟助手|聊天机器人)[^。！？\n]{0,24}"
    r"(?:不能|无法|没有|不具备|不会)",
    re.I,
)


def refuses(answer: str, within: int = WITHIN) -> bool:
    """Whether an answer begins with a refusal, by rules of our own; mere regret is none."""
    head = _head(answer, within)
    return bool(_ENGLISH.search(head) or (not head.isascii() and _CHINESE.search(head)))


def disclaims(answer: str, within: int = WITHIN) -> bool:
    """Whether an answer begins by saying what a language model cannot do or feel."""
    head = _head(answer, within)
    return bool(_ENGLISH_SELF.search(head) or _CHINESE_SELF.search(head))


def _head(answer: str, within: int) -> str:
    return answer.lstrip()[:within].replace("’", "'")
