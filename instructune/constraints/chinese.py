"""Chinese constraints: lengths, form and wording, simplified and traditional."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from instructune.constraints import zh_lengths, zh_parts
from instructune.constraints.found import Found, found
from instructune.constraints.negation import NOT
from instructune.constraints.zh_quantities import NUMBER, number
from instructune.preparing.languages import LANGUAGES

Rule = Callable[[str], Iterator[Found]]

_REMOVE = r"(?:去掉|删去|刪去|删除|刪除)"
_OTHERS = r"(?:\s*(?:、|和|与|與|或者?|以及|及|，|,|/)?\s*\"[^\"\n]{1,60}\")*"
_SEVERAL = rf"\"[^\"\n]{{1,60}}\"{_OTHERS}"


def json_format(text: str) -> Iterator[Found]:
    """以JSON格式返回，键名为label."""
    match = re.search(
        r"(?:以|用|按|成|为|為|返回|输出|輸出|使用|给出)[^。\n]{0,12}?JSON(?!文件|数据中|字符串中)",
        text,
        re.I,
    )
    if not match:
        return
    keys = re.compile(
        r"[^。\n]{0,12}?(?:键名?|鍵名?|字段)(?:名)?(?:为|為|是|包括|包含|有|：|:)?\s*"
    ).match(text, match.end())
    named = re.compile(
        r"\"?[A-Za-z_][A-Za-z0-9_]*\"?(?:\s*[、,，和]\s*\"?[A-Za-z_][A-Za-z0-9_]*\"?)*"
    ).match(text, keys.end() if keys else len(text))
    names = re.findall(r"[A-Za-z_][A-Za-z0-9_]*", named.group()) if named else []
    yield found(
        "json_format", match.group(), **({"type": "object", "keys": names} if names else {})
    )


def title(text: str) -> Iterator[Found]:
    """标题用书名号《》括起来."""
    if match := re.search(r"(?:标题|標題)[^。\n]{0,8}(?:书名号|書名號|《》)|<<[^<>\n]+>>", text):
        yield found("title", match.group(), **({} if "<<" in match.group() else {"marks": "《》"}))


_NAMES = {name: code for code, (_, _, name) in LANGUAGES.items()}
_NAMES |= {"韓": "ko", "法": "fr", "德": "de", "漢": "zh", "汉": "zh"}
_LANGUAGE = "|".join(sorted(_NAMES, key=len, reverse=True))
_ANSWER = (
    r"(?:回答|回复|回覆|作答|答复|答覆|输出|輸出|撰写|撰寫|写|寫|说明|說明|解释|解釋|介绍|介紹"
    r"|交流|表达)"
)
_SPOKEN = re.compile(
    rf"(?:用|以|使用)\s*(?P<a>{_LANGUAGE})(?:文|语|語|国语)(?:来)?{_ANSWER}"
    rf"|{_ANSWER}[^。，,\n]{{0,8}}(?:用|使用|为|為|是)\s*(?P<b>{_LANGUAGE})(?:文|语|語)"
    rf"|(?:只能?|必须|必須|全程|全文|一律)(?:使?用)\s*(?P<c>{_LANGUAGE})(?:文|语|語)"
)
_SCRIPT = re.compile(r"(?:用|使用|以)\s*(?P<script>[繁簡简])(?:体|體)(?:中文|字|汉字|漢字)?")
_TRANSLATES = re.compile(r"翻译|翻譯|译|譯|翻成")


def language(text: str) -> Iterator[Found]:
    """用英文回答, 用繁体中文: not the target of a translation."""
    if _TRANSLATES.search(text):
        return
    if match := _SPOKEN.search(text):
        name = match["a"] or match["b"] or match["c"]
        yield found("response_language", match.group(), language=_NAMES[name])
    if match := _SCRIPT.search(text):
        script = "traditional" if match["script"] == "繁" else "simplified"
        yield found("chinese_script", match.group(), script=script)


_MARKS = {
    "感叹号": "!！",
    "感嘆號": "!！",
    "问号": "?？",
    "問號": "?？",
    "句号": "。.",
    "句號": "。.",
}
_MARKS |= {"顿号": "、", "頓號": "、", "分号": ";；", "引号": "\"'“”‘’「」『』"}
# 不要使用英文标点 asks for others, 不要用引号括起来 for no frame
_NO_MARKS = re.compile(
    rf"{NOT}[^。\n]{{0,10}}?(?P<mark>逗号|逗號|(?<![文角的])(?:标点|標點)|{'|'.join(_MARKS)})"
    r"(?![括包引框])"
)


# 七个字（不含标点）: how the characters are counted
_HOW_COUNTED = re.compile(r"字[^。！？\n]{0,6}[（(，,]\s*$")


def punctuation(text: str) -> Iterator[Found]:
    """不要使用逗号, 不要标点."""
    for match in _NO_MARKS.finditer(text):
        if _HOW_COUNTED.search(text, 0, match.start()):
            continue
        if match["mark"].startswith("逗"):
            yield found("no_commas", match.group())
        elif match["mark"] in _MARKS:
            yield found("no_punctuation", match.group(), marks=_MARKS[match["mark"]])
        else:
            yield found("no_punctuation", match.group())


def case(text: str) -> Iterator[Found]:
    """全部用小写字母."""
    if match := re.search(r"(?:全部?|都|只|一律)(?:使?用)?(?P<case>大写|大寫|小写|小寫)", text):
        yield found("all_upper" if match["case"][0] == "大" else "all_lower", match.group())


_FORBID = re.compile(
    rf"(?:{NOT}\s*(?:再?(?:出现|出現|使用|包含|提到|提及|含有|用|说|說|写|寫))[^\"。，,\n]{{0,6}}?"
    rf"|{_REMOVE}(?=[^。\n]{{0,12}}\"\s*(?:[一二两三]个)?[字词詞])[^\"。，,\n]{{0,8}}?)"
    rf"(?P<words>{_SEVERAL})"
)
_VERB = r"(?:包含|包括|出现|出現|使用|用到|用上|含有|提到|写到|帶有|带有|加入|用)"
_MUST = r"(?:必须|必須|须|须要|需要?|要|请|請|应该?|應該?|务必|一定)"
# a text tells what it includes; an order says must, or calls them words
_INCLUDE = re.compile(
    rf"{_MUST}[^\"。，,；\n]{{0,8}}{_VERB}[^\"。，,；\n]{{0,14}}?(?P<words>{_SEVERAL})"
    r"(?!\s*(?:表|列|函数|函數|字段|方法|库|文件|命令|工具|标签|中|里))"
    rf"|{_VERB}[^\"。，,；\n]{{0,8}}?(?:关键词|關鍵詞|词语|詞語|词"
    rf"|短语)[^\"。，,；\n]{{0,4}}?(?P<named>{_SEVERAL})"
    rf"|{_VERB}[^\"。，,；\n]{{0,4}}?(?P<called>{_SEVERAL})"
    r"(?=\s*(?:[这這]?[一二两三四五几]个|等)?\s*(?:词|詞|字样|关键词|成语))"
)
_OFTEN = re.compile(
    rf"\"(?P<word>[^\"\n]{{1,20}})\"[^\"。\n]{{0,10}}?(?P<rel>至少|最少"
    rf"|不少于|最多|至多|不超过|恰好|正好)?"
    rf"(?:出现|出現|使用|提到)(?P<rel2>至少|最少|不少于|最多|至多"
    rf"|不超过|恰好|正好)?\s*(?P<n>{NUMBER})\s*次"
    r"(?P<more>以上)?"
)


def wording(text: str) -> Iterator[Found]:
    """必须出现"花粉"和"屋顶"两个词, 不要使用"的"字, "桥"至少出现三次."""
    often: set[str] = set()
    for match in _OFTEN.finditer(text):
        n, relation = number(match["n"]), match["rel"] or match["rel2"] or ""
        least = {} if relation in ("最多", "至多", "不超过") else {"min": n}
        most = (
            {}
            if least and (match["more"] or relation in ("至少", "最少", "不少于"))
            else {"max": n}
        )
        often.add(match["word"])
        yield found("word_frequency", match.group(), word=match["word"], **least, **most)
    forbidden = list(_FORBID.finditer(text))
    for match in forbidden:
        if words := [word for word in _items(match) if word not in often]:
            yield found("forbid_words", match.group(), words=words)
    taken = {match.end("words") for match in forbidden}
    for match in _INCLUDE.finditer(text):
        words = [word for word in _items(match) if word not in often]
        if words and match.end(match.lastgroup or 0) not in taken:
            yield found("include_words", match.group(), words=words)


def _items(match: re.Match[str]) -> list[str]:
    return re.findall(r"\"([^\"\n]+)\"", match[match.lastgroup or 0])


_EDGE = re.compile(
    r"(?:以|用)[^\"。\n]{0,8}" + r"\"(?P<text>[^\"\n]{1,60})\"" + r"[^\"。，,\n]{0,4}"
    r"(?P<edge>结尾|結尾|结束|結束|收尾|作结|开头|開頭|开始|開始|起头)"
)


def edges(text: str) -> Iterator[Found]:
    """以"…"结尾, 以"…"开头."""
    for match in _EDGE.finditer(text):
        if "X" in match["text"]:
            continue
        check = "starts_with" if match["edge"][0] in "开開起" else "ends_with"
        if not re.search(r"每[段行句个個部]", text[max(0, match.start() - 6) : match.start()]):
            yield found(check, match.group(), text=match["text"])


_CHOICE = re.compile(
    r"(?:只能?|请|請|仅|直接|必须)?(?:回答|输出|輸出|回复|回覆|说"
    r"|說)(?:为)?\s*(?P<words>\"[^\"\n]{1,20}\"(?:\s*(?:、|或者?|，"
    r"|/)\s*\"[^\"\n]{1,20}\")+)"
)


def choice(text: str) -> Iterator[Found]:
    """只回答"积极"或"消极"."""
    for match in _CHOICE.finditer(text):
        if not re.search(rf"{NOT}$", text[max(0, match.start() - 4) : match.start()]):
            yield found("choice", match.group(), options=_items(match))
            return


def form(text: str) -> Iterator[Found]:
    """用双引号括起来, 结尾加附言, 先重复题目."""
    if match := re.search(r"双引号[^。，\n]{0,6}(?:括|包|引|框)|(?:放在|置于)双?引号", text):
        yield found("quoted", match.group())
    if match := re.search(r"(?:加|附|写|有)[^。，\n]{0,6}(?P<marker>附言|又及|P\.S\.?)", text):
        yield found("postscript", match.group(), marker=match["marker"])
    if match := re.search(
        r"先[^。，\n]{0,8}(?:重复|重複|复述|複述)[^。，\n]{0,6}(?:题目|題目|问题|問題|要求|请求)",
        text,
    ):
        before, after = text[: match.start()].strip(), text[match.end() :]
        # a word of politeness before "repeat the question first" is not the question
        request = before if len(before) > 4 else re.sub(r"^[^。\n]*[。\n]", "", after).strip()
        if request:
            yield found("repeat_prompt", match.group(), text=request)


RULES: list[Rule] = [
    *zh_lengths.RULES,
    *zh_parts.RULES,
    json_format,
    title,
    language,
    punctuation,
    case,
    wording,
    edges,
    choice,
    form,
]


def constraints(text: str) -> Iterator[Found]:
    """Every constraint that a rule finds, with its evidence."""
    made = [item for rule in RULES for item in rule(text)]
    options = {o for item in made if item.check == "choice" for o in item.args["options"]}
    for item in made:
        if item.check != "include_words" or not options.issuperset(item.args["words"]):
            yield item
