"""Names of types as models write them: in any case, in the plural, spelt out, in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable

# one line a type; a model that is asked for PER may say any of these
_ALIKE = (
    "per person people human name 人名 人物 人 姓名",
    "loc location place 地名 地点 位置 地理位置",
    "org organization organisation institution company corporation 机构 组织 机构名 组织机构 公司",
    "gpe geopolitical country city 行政区 地缘政治实体 国家 城市",
    "misc miscellaneous other 其他 其它 杂项",
    "date 日期",
    "time 时间",
    "product 产品",
    "event 事件",
    "work creative-work work_of_art creativework 作品",
    "disease 疾病",
    "chemical drug 药物 化学物质",
)
_MEANS = {name: line.split()[0] for line in _ALIKE for name in line.split()}
_MEANINGS = frozenset(_MEANS.values())
# what stands before a colon and is no type
_REMARKS = frozenset(
    ["answer", "answers", "entity", "entities", "output", "result", "results", "note", "text"]
    + ["sentence", "input", "here", "response", "extracted", "named", "list", "sure", "okay"]
    + ["relation", "relations", "triples", "type", "types", "答案", "实体", "结果", "输出", "文本"]
    + ["句子", "输入", "回答", "注意", "注", "如下", "命名实体", "实体类型", "关系", "三元组"]
)
_SHOUTED = re.compile(r"[A-Z][A-Z0-9_./-]*(?: [A-Z][A-Z0-9_./-]*){0,2}")
_SPOKEN = re.compile(r"[A-Z][a-z]+(?:[ _-][A-Za-z]+)?|[a-z]+_[a-z_]+|[\u4e00-\u9fff]{1,6}")


class TypeNames:
    """The types that references have, found by any of their names."""

    def __init__(self, types: Iterable[str]) -> None:
        self._by_name: dict[str, str] = {}
        means: dict[str, set[str]] = {}
        for kind in sorted(set(types)):
            self._by_name.setdefault(_folded(kind), kind)
            means.setdefault(_meaning(kind), set()).add(kind)
        for meaning, kinds in means.items():
            if len(kinds) == 1:  # of two that mean the same, neither may be guessed
                self._by_name.setdefault(meaning, *kinds)

    def known(self, name: str) -> str | None:
        """The references' own name of a type, or None."""
        return self._by_name.get(_folded(name)) or self._by_name.get(_meaning(name))

    def rank(self, name: str) -> int:
        """How surely a text is the name of a type, where another may be: 3 is known, 0 is not."""
        if self.known(name):
            return 3
        if _meaning(name) in _MEANINGS:
            return 2
        return 1 if _SHOUTED.fullmatch(name.strip(_AROUND)) else 0

    def read(self, name: str) -> str | None:
        """The type that a name before a colon or in brackets means; None for a mere remark.

        A type that no reference has is one too, if it looks like a type.
        """
        bare = name.strip(_AROUND)
        if found := self.known(bare):
            return found
        words = set(re.findall(r"\w+", bare.casefold()))
        if not words or words & _REMARKS:
            return None
        if _meaning(bare) in _MEANINGS or _SHOUTED.fullmatch(bare) or _SPOKEN.fullmatch(bare):
            return bare
        return None


_AROUND = " \t*_`#\"'“”‘’"


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.strip(_AROUND)).casefold()


def _meaning(name: str) -> str:
    """The common name of a type, else the folded one without a plural s."""
    folded = _folded(name)
    single = re.sub(r"(?<=[a-z]{2})s$", "", folded)
    return next((_MEANS[n] for n in (folded, single) if n in _MEANS), single)
