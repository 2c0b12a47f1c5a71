"""Scripts decide where they can; the classifier is asked only where they cannot."""

from __future__ import annotations

import sys

import pytest

from instructune.errors import Exit, UserError
from instructune.preparing.languages import (
    LANGUAGES,
    identify,
    is_simplified,
    is_traditional,
    main_script,
    scripts,
    speaks,
)


def test_a_chinese_character_weighs_as_much_as_a_foreign_word():
    assert scripts("用TensorFlow写 2 个程序") == {"Han": 5, "Latin": 1}


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain", "Latin"),
        ("中文", "Han"),
        ("漢字とかな", "Kana"),
        ("東京大学へ", "Kana"),
        ("한국어", "Hangul"),
        ("Привет, John", "Cyrillic"),
        ("مرحبا", "Arabic"),
        ("42 !?", ""),
    ],
)
def test_main_script(text, script):
    assert main_script(text) == script


@pytest.mark.parametrize(
    ("text", "language"),
    [("这是中文", "zh"), ("これは日本語です", "ja"), ("한국어입니다", "ko"), ("Ελληνικά", "el")],
)
def test_a_script_of_one_language_needs_no_classifier(monkeypatch, text, language):
    monkeypatch.setitem(sys.modules, "py3langid", None)
    assert identify(text) == language
    others = [code for code in ("zh", "ja", "ko", "el", "en", "ru") if code != language]
    assert speaks(text, language)
    assert not any(speaks(text, code) for code in others)


def test_without_the_classifier(monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid", None)
    assert identify("plain words") == "en"
    assert identify("déjà vu") is None
    assert identify("Привет") is None
    assert identify("123") is None
    with pytest.raises(UserError) as caught:
        speaks("plain words", "en")
    assert caught.value.code is Exit.UNAVAILABLE


def test_with_the_classifier():
    pytest.importorskip("py3langid")
    assert identify("The library closes at six in the evening.") == "en"
    assert identify("Die Bibliothek schließt um sechs Uhr abends.") == "de"
    assert speaks("हम कल बाज़ार जाएंगे और सब्ज़ियाँ खरीदेंगे।", "hi")
    assert not speaks("हम कल बाज़ार जाएंगे और सब्ज़ियाँ खरीदेंगे।", "mr")


def test_the_classifier_knows_the_languages_of_shared_scripts():
    rank = pytest.importorskip("py3langid").rank
    known = {code for code, _ in rank("any text")}
    assert set(LANGUAGES) <= known


def test_forms_of_characters():
    assert all(map(is_simplified, "这个国说为们发"))
    assert all(map(is_traditional, "這個國說為們發"))
    assert not any(is_simplified(c) or is_traditional(c) for c in "山水大人a，")
