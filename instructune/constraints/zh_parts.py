"""Chinese constraints on parts of an answer: numbered items, 字 a line or sentence, scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints.found import Found, found
from instructune.constraints.negation import NOT
from instructune.constraints.zh_quantities import quantities

Rule = Callable[[str], Iterator[Found]]

_NUMBERED = re.compile(
    r"(?:用|以|按|带|帶|加上?|分成|使用|给出|給出)[^。，,；\n]{0,6}?(?<!的)(?:编号|編號|序号|序號)"
    r"(?!为|為|是|\d)[^。；\n]{0,16}"
)


def numbered_items(text: str) -> Iterator[Found]:
    """用编号列表给出至少三条建议; without a number, at least one."""
    match = _NUMBERED.search(text)
    if match is None:
        return
    clause = re.search(r"[^。；\n]*$", text[: match.start()])
    stretch = (clause.group() if clause else "") + match.group()
    counted = next(quantities(stretch, r"[个個条條点點项項步种種](?:要点|要點)?"), None)
    bounds = counted.bounds() if counted else {"min": 1}
    yield found("numbered_items", match.group(), **bounds)


_POEM = re.compile(r"诗|詩|绝句|絕句|对联|對聯|歌词|歌詞")


def _of_each(check: str, part: str, *, poems: bool) -> Rule:
    """A rule that 字 are counted in each such part; a verse of a poem is no sentence."""
    before = re.compile(rf"每一?{part}[^。；\n]{{0,8}}$")

    def rule(text: str) -> Iterator[Found]:
        if not poems and _POEM.search(text):
            return
        for quantity in quantities(text, r"个?個?(?:汉字|漢字|字)(?!母|符|体|體)", shared=True):
            # a relation may stand between, or be part of what was matched
            start = quantity.start
            said = before.search(text[max(0, start - 16) : start])
            if said and quantity.relation != "about":
                yield found(check, said.group() + quantity.evidence, **quantity.bounds())

    return rule


line_words = _of_each("line_words", r"行", poems=True)
sentence_words = _of_each("sentence_words", r"个?個?句(?:话|話|子)?", poems=False)

_KINDS = {
    "latin": r"(?:英文|英语|英語|拉丁)(?:字母|单词|單詞|词|詞)|(?:英文|字母|外文)",
    "digits": r"(?:阿拉伯)?(?:数字|數字)",
    "emoji": r"表情(?:符号|符號)?|[Ee]moji",
    "chinese": r"汉字|漢字|中文字符",
}
_KIND = "|".join(f"(?:{said})" for said in _KINDS.values())
_NO_KINDS = re.compile(
    rf"{NOT}\s*(?:再?(?:使用|出现|出現|包含|含有|夹杂|夾雜|带有?|帶有?|用|写|寫))?(?:任何)?\s*"
    rf"(?P<kinds>(?:{_KIND})(?:\s*(?:、|和|与|與|或者?|以及|及)\s*(?:{_KIND}))*)"
    r"(?![一-龥]{0,2}(?:回答|作答|回复|回覆|写|寫|输出|輸出|表达|编号|編號|序号|名|标|標|逗|句|引|格式|数据))"
)


def forbid_script(text: str) -> Iterator[Found]:
    """不要使用英文字母和数字, 不要出现表情符号."""
    for match in _NO_KINDS.finditer(text):
        kinds = [kind for kind, said in _KINDS.items() if re.search(said, match["kinds"])]
        yield found("forbid_script", match.group(), kinds=kinds)


_MARKS = re.compile(
    r"(?:使用|采用|採用|用|一律)[^。，,\n]{0,4}(?:中文|全角)的?(?:标点|標點)"
    r"|(?:标点|標點)(?:符号|符號)?[^。，,\n]{0,6}(?:用|为|為)(?:中文|全角)"
    rf"|{NOT}(?:使用|用|出现|夹杂|有)?(?:英文|半角)的?(?:标点|標點)"
)

_NOT_BEFORE = re.compile(rf"{NOT}[^。，,；\n]{{0,4}}$")


def chinese_punctuation(text: str) -> Iterator[Found]:
    """使用中文标点, 标点一律用全角."""
    match = _MARKS.search(text)
    if match and not _NOT_BEFORE.search(text[: match.start()]):
        yield found("chinese_punctuation", match.group())


RULES: list[Rule] = [
    numbered_items,
    line_words,
    sentence_words,
    forbid_script,
    chinese_punctuation,
]
