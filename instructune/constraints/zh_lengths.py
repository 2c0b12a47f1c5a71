"""Chinese constraints on how long an answer is and how many parts it has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints.found import Found, found
from instructune.constraints.zh_quantities import NUMBER, number, quantities

Rule = Callable[[str], Iterator[Found]]

_ROUND = 20  # from so many characters on, a bare number is meant about, a tenth more or less
_TOLERANCE = 0.1


def characters(text: str) -> Iterator[Found]:
    """不超过100个字, 300字左右: as 字数 counts, a foreign word as one."""
    for quantity in quantities(text, r"个?個?(?:汉字|漢字|中文字|字符|字)(?!母|体|體|段|眼|典|面)"):
        least, most = quantity.min, quantity.max
        n = quantity.max or quantity.min or 0
        if quantity.relation == "plain" and (n < _ROUND or "符" in quantity.evidence):
            continue  # 12个字符 are those of a password
        if quantity.relation == "about" or (quantity.relation == "plain" and n >= _ROUND):
            least, most = round(n * (1 - _TOLERANCE)), round(n * (1 + _TOLERANCE))
        if least is not None:
            yield found("min_chars", quantity.evidence, n=least, count="zi")
        if most is not None:
            yield found("max_chars", quantity.evidence, n=most, count="zi")


def words(text: str) -> Iterator[Found]:
    """不超过50个单词."""
    for quantity in quantities(text, r"个?個?(?:英文)?(?:单词|單詞|词(?!语|性|组|汇))"):
        if quantity.relation != "plain" and quantity.relation != "exact":
            for name, n in quantity.bounds().items():
                yield found(f"{name}_words", quantity.evidence, n=n)


def _counted(check: str, unit: str, *, least: int = 1) -> Rule:
    """A rule that a number of such units is a check; bare ones where the prompt asks for them."""

    def rule(text: str) -> Iterator[Found]:
        for quantity in quantities(text, unit):
            n = quantity.max or quantity.min or 0
            if quantity.relation == "plain" and (not quantity.asked or n < least):
                continue
            yield found(check, quantity.evidence, **quantity.bounds())

    return rule


sentences = _counted("sentences", r"个?個?(?:句话|句話|句子)")
paragraphs = _counted(
    "paragraphs", r"个?個?(?:自然段|段落|段(?:话|話|文字)?)(?![一-龥]*部分)", least=2
)
# not 一行一个, which says how many there are on each
lines = _counted("lines", r"行(?!业|業|为|為|动|動|写?寫?[一两兩])(?:内|之内)?")


def bullet_points(text: str) -> Iterator[Found]:
    """用列表, 三个要点: so many where the number is given."""
    asked = re.search(
        r"[用以按成为為][^。，,\n]{0,8}(?:要点|要點|项目符号|項目符號|列表(?:的?形式|格式|[呈展]))"
        r"|用(?:无序|無序)?列表|项目符号|無序列表|无序列表",
        text,
    )
    quantity = next(quantities(text, r"个?個?(?:要点|要點|项目符号|列表项|點|点)"), None)
    if quantity and (asked or "要" in quantity.evidence):
        yield found("bullet_points", quantity.evidence, **quantity.bounds())
    elif asked and "编号" not in text:
        yield found("bullet_points", asked.group(), min=1)


def placeholders(text: str) -> Iterator[Found]:
    """至少三个占位符."""
    for quantity in quantities(text, r"[个個处處]?(?:占位符|佔位符)"):
        yield found("placeholders", quantity.evidence, **quantity.bounds(plain="min"))


def highlights(text: str) -> Iterator[Found]:
    """至少加粗三处."""
    match = re.search(
        rf"(?:加粗|粗体|粗體|斜体|斜體|高亮|突出)[^。\n]{{0,12}}?(?P<n>{NUMBER})\s*[处處个個]"
        rf"|(?P<m>{NUMBER})\s*[处處个個][^。\n]{{0,8}}(?:加粗|粗体|粗體|斜体|斜體|高亮)",
        text,
    )
    if match:
        yield found("highlights", match.group(), min=number(match["n"] or match["m"]))


def sections(text: str) -> Iterator[Found]:
    """分为五个部分，每部分以"第X部分"开头."""
    marker = re.search(r"\"(?P<marker>[^\"\n]{0,8}X[^\"\n]{0,8})\"", text)
    if not marker:
        return
    quantity = next(quantities(text, r"[个個]?(?:部分|章节?|章節|节|節|段)"), None)
    least = (quantity.min or quantity.max or 1) if quantity else 1
    yield found("sections", marker.group(), marker=marker["marker"], min=least)


def citations(text: str) -> Iterator[Found]:
    """至少引用两篇文献."""
    pattern = rf"(?P<n>{NUMBER})\s*[处處条條篇个個](?:引用|参考文献|參考文獻|文献|文獻)"
    if match := re.search(pattern, text):
        yield found("citations", match.group(), min=number(match["n"]))


RULES: list[Rule] = [
    characters,
    words,
    sentences,
    paragraphs,
    lines,
    bullet_points,
    placeholders,
    highlights,
    sections,
    citations,
]
