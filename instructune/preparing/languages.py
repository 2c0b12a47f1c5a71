"""The language of a text: by its script where that decides, else by py3langid if installed."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from functools import lru_cache

from instructune.errors import Exit, UserError
from instructune.texts import words

# first and last code point, script
_RANGES = sorted(
    [
        (0x41, 0x24F, "Latin"),
        (0x1E00, 0x1EFF, "Latin"),
        (0xFF21, 0xFF5A, "Latin"),
        (0x370, 0x3FF, "Greek"),
        (0x400, 0x52F, "Cyrillic"),
        (0x531, 0x58F, "Armenian"),
        (0x590, 0x5FF, "Hebrew"),
        (0x600, 0x6FF, "Arabic"),
        (0x750, 0x77F, "Arabic"),
        (0x900, 0x97F, "Devanagari"),
        (0x980, 0x9FF, "Bengali"),
        (0xA00, 0xA7F, "Gurmukhi"),
        (0xA80, 0xAFF, "Gujarati"),
        (0xB80, 0xBFF, "Tamil"),
        (0xC00, 0xC7F, "Telugu"),
        (0xC80, 0xCFF, "Kannada"),
        (0xD00, 0xD7F, "Malayalam"),
        (0xE00, 0xE7F, "Thai"),
        (0x10A0, 0x10FF, "Georgian"),
        (0x3040, 0x30FF, "Kana"),
        (0x3400, 0x9FFF, "Han"),
        (0x20000, 0x3134F, "Han"),
        (0xAC00, 0xD7AF, "Hangul"),
    ]
)
_STARTS = [first for first, _, _ in _RANGES]

# code: the script, the English name, the Chinese name
LANGUAGES: dict[str, tuple[str, str, str]] = {
    "en": ("Latin", "English", "英"),
    "zh": ("Han", "Chinese", "中"),
    "ja": ("Kana", "Japanese", "日"),
    "ko": ("Hangul", "Korean", "韩"),
    "fr": ("Latin", "French", "法"),
    "de": ("Latin", "German", "德"),
    "es": ("Latin", "Spanish", "西班牙"),
    "it": ("Latin", "Italian", "意大利"),
    "pt": ("Latin", "Portuguese", "葡萄牙"),
    "nl": ("Latin", "Dutch", "荷兰"),
    "sv": ("Latin", "Swedish", "瑞典"),
    "da": ("Latin", "Danish", "丹麦"),
    "fi": ("Latin", "Finnish", "芬兰"),
    "no": ("Latin", "Norwegian", "挪威"),
    "pl": ("Latin", "Polish", "波兰"),
    "cs": ("Latin", "Czech", "捷克"),
    "hu": ("Latin", "Hungarian", "匈牙利"),
    "ro": ("Latin", "Romanian", "罗马尼亚"),
    "tr": ("Latin", "Turkish", "土耳其"),
    "vi": ("Latin", "Vietnamese", "越南"),
    "id": ("Latin", "Indonesian", "印尼"),
    "sw": ("Latin", "Swahili", "斯瓦希里"),
    "la": ("Latin", "Latin", "拉丁"),
    "ru": ("Cyrillic", "Russian", "俄"),
    "uk": ("Cyrillic", "Ukrainian", "乌克兰"),
    "bg": ("Cyrillic", "Bulgarian", "保加利亚"),
    "sr": ("Cyrillic", "Serbian", "塞尔维亚"),
    "ar": ("Arabic", "Arabic", "阿拉伯"),
    "fa": ("Arabic", "Persian", "波斯"),
    "ur": ("Arabic", "Urdu", "乌尔都"),
    "hi": ("Devanagari", "Hindi", "印地"),
    "mr": ("Devanagari", "Marathi", "马拉地"),
    "ne": ("Devanagari", "Nepali", "尼泊尔"),
    "bn": ("Bengali", "Bengali", "孟加拉"),
    "pa": ("Gurmukhi", "Punjabi", "旁遮普"),
    "gu": ("Gujarati", "Gujarati", "古吉拉特"),
    "ta": ("Tamil", "Tamil", "泰米尔"),
    "te": ("Telugu", "Telugu", "泰卢固"),
    "kn": ("Kannada", "Kannada", "卡纳达"),
    "ml": ("Malayalam", "Malayalam", "马拉雅拉姆"),
    "th": ("Thai", "Thai", "泰"),
    "el": ("Greek", "Greek", "希腊"),
    "he": ("Hebrew", "Hebrew", "希伯来"),
    "hy": ("Armenian", "Armenian", "亚美尼亚"),
    "ka": ("Georgian", "Georgian", "格鲁吉亚"),
}
_SPOKEN_IN: dict[str, list[str]] = {}
for _code, (_script, _, _) in LANGUAGES.items():
    _SPOKEN_IN.setdefault(_script, []).append(_code)

_KANA = 0.1  # share of Japanese words that are kana, at least; Chinese has hardly any
_MAIN = 0.5  # share of the words that a language's own script must reach


def scripts(text: str) -> Counter[str]:
    """Words by script, a Chinese character as a word, so that names in Latin weigh little."""
    return Counter(filter(None, map(_script_of, (word[0] for word in words(text)))))


@lru_cache(maxsize=65536)
def _script_of(character: str) -> str:
    place = bisect_right(_STARTS, point := ord(character)) - 1
    return _RANGES[place][2] if place >= 0 and point <= _RANGES[place][1] else ""


def main_script(text: str) -> str:
    """The script that most of the words are in: Kana for Japanese; empty where none has most."""
    found = scripts(text)
    total = found.total()
    if found["Kana"] >= _KANA * (found["Kana"] + found["Han"]) > 0:
        found["Kana"] += found.pop("Han", 0)
    script, count = next(iter(found.most_common(1)), ("", 0))
    return script if count and count >= _MAIN * total else ""


def speaks(text: str, language: str) -> bool:
    """Whether a text is in this language, loan words aside; no letters at all are none.

    69 where only py3langid could tell and it is not installed.
    """
    script = LANGUAGES[language][0]
    if main_script(text) != script:
        return False
    rivals = _SPOKEN_IN[script]
    if language == "en" and _reads_english(text):
        return True
    return len(rivals) == 1 or _classified(text, tuple(rivals)) == language


def identify(text: str) -> str | None:
    """The code of a text's language; None where it cannot be told with what is installed.

    Latin text in which every eighth word is an English particle is English; the classifier, which
    costs a millisecond, is asked of the rest. Where it is missing, plain ASCII counts as English.
    """
    script = main_script(text)
    if script == "Latin" and _reads_english(text):
        return "en"
    rivals = _SPOKEN_IN.get(script, [])
    if len(rivals) < 2:
        return rivals[0] if rivals else None
    try:
        return _classified(text, tuple(rivals))
    except UserError:
        return "en" if script == "Latin" and text.isascii() else None


# none of them is common in another language
_PARTICLES = frozenset(["the", "of", "and", "to", "is", "are", "was", "were", "that", "this"])
_PARTICLES |= {"with", "for", "your", "you", "my", "it", "from", "what", "how", "which", "would"}
_ENOUGH = 8


def _reads_english(text: str) -> bool:
    found = [word.lower() for word in words(text[:2000])]
    return _ENOUGH * sum(word in _PARTICLES for word in found) >= len(found) > 0


def _classified(text: str, rivals: tuple[str, ...]) -> str:
    """The likeliest of these languages."""
    try:
        from py3langid import rank
    except ImportError:
        raise UserError(
            "telling languages of one script apart needs py3langid",
            hint="pip install 'instructune[clean]'",
            code=Exit.UNAVAILABLE,
        ) from None
    return next(code for code, _ in rank(text) if code in rivals)


def is_simplified(character: str) -> bool:
    """Whether a Chinese character is written only in simplified script.

    The national character sets tell: GB 2312 holds the simplified, Big5 the traditional forms.
    """
    return _written(character) == (True, False)


def is_traditional(character: str) -> bool:
    """Whether a Chinese character is written only in traditional script."""
    return _written(character) == (False, True)


@lru_cache(maxsize=30000)
def _written(character: str) -> tuple[bool, bool]:
    return _encodes(character, "gb2312"), _encodes(character, "big5")


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
