"""Stems of English words by Porter's rules, with the departures that NLTK's stemmer makes.

Porter 1980, Program 14(3), 130-137. `rouge-score` stems with NLTK, so its numbers need the same.
"""

from __future__ import annotations

from functools import lru_cache

_IRREGULAR = {
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "innings": "inning",
    "outings": "outing",
    "cannings": "canning",
}
_WHOLE = "sky news inning outing canning howe proceed exceed succeed"  # these are their own stems
_IRREGULAR |= {word: word for word in _WHOLE.split(" ")}

# suffix and what stands for it where the rest has a measure above 0; the first that fits decides
_STEP_2 = {
    "ational": "ate",
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "izer": "ize",
    "bli": "ble",
    "alli": "al",
    "entli": "ent",
    "eli": "e",
    "ousli": "ous",
    "ization": "ize",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "iveness": "ive",
    "fulness": "ful",
    "ousness": "ous",
    "aliti": "al",
    "iviti": "ive",
    "biliti": "ble",
    "fulli": "ful",
}
_STEP_3 = {
    "icate": "ic",
    "ative": "",
    "alize": "al",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
}
_STEP_4 = "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
_DROPPED = _STEP_4.split(" ")  # where the rest has a measure above 1


@lru_cache(maxsize=100_000)  # texts repeat their words
def stem(word: str) -> str:
    """The stem of a word in lower case."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2:
        return word
    word = _past(_plural(word))
    if word.endswith("y") and len(word) > 2 and _consonants(word[:-1])[-1]:
        word = word[:-1] + "i"
    word = _replaced(_adverbial(word), _STEP_3)
    return _without_last_e(_dropped(word))


def _consonants(word: str) -> list[bool]:
    """Which letters are consonants: y is one at the start and after a vowel."""
    found: list[bool] = []
    for letter in word:
        if letter == "y":
            found.append(not found or not found[-1])
        else:
            found.append(letter not in "aeiou")
    return found


def _measure(word: str) -> int:
    """How often a vowel is followed by a consonant."""
    kinds = _consonants(word)
    return sum(after and not before for before, after in zip(kinds, kinds[1:], strict=False))


def _short(word: str) -> bool:
    """Ends in consonant, vowel, consonant but w, x and y; or is a vowel and a consonant."""
    kinds = _consonants(word)
    if len(word) == 2:
        return kinds == [False, True]
    return kinds[-3:] == [True, False, True] and word[-1] not in "wxy"


def _plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    """Without -ed and -ing; what is left gets back its e or loses a doubled letter."""
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    suffix = next((s for s in ("ed", "ing") if word.endswith(s)), "")
    rest = word.removesuffix(suffix)
    if not suffix or all(_consonants(rest)):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if len(rest) > 1 and rest[-1] == rest[-2] and _consonants(rest)[-1]:
        return rest if rest[-1] in "lsz" else rest[:-1]
    return rest + "e" if _measure(rest) == 1 and _short(rest) else rest


def _adverbial(word: str) -> str:
    if word.endswith("alli") and _measure(word[:-4]):
        return _adverbial(word[:-2])
    if word.endswith("logi"):  # its l belongs to the rest, so that geo and theo are long enough
        return word[:-1] if _measure(word[:-3]) else word
    return _replaced(word, _STEP_2)


def _replaced(word: str, suffixes: dict[str, str]) -> str:
    suffix = next((s for s in suffixes if word.endswith(s)), None)
    if suffix is None or not _measure(rest := word.removesuffix(suffix)):
        return word
    return rest + suffixes[suffix]


def _dropped(word: str) -> str:
    suffix = next((s for s in _DROPPED if word.endswith(s)), None)
    if suffix is None or _measure(rest := word.removesuffix(suffix)) < 2:
        return word
    return word if suffix == "ion" and rest[-1] not in "st" else rest


def _without_last_e(word: str) -> str:
    if word.endswith("e"):
        rest = word[:-1]
        measure = _measure(rest)
        if measure > 1 or (measure == 1 and not _short(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
