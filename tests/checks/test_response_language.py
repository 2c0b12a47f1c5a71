"""response_language: the language of the answer."""

from __future__ import annotations

import sys

import pytest

from instructune.errors import Exit, UserError


@pytest.mark.parametrize(
    ("args", "answer", "reason"),
    [
        ({"language": "zh"}, "我喜欢用Python写程序", None),
        ({"language": "zh"}, "I like Python 程序", "is not in Chinese"),
        ({"language": "ja"}, "私は学生です", None),
        ({"language": "zh"}, "私は学生です", "is not in Chinese"),
        ({"language": "ja"}, "我喜欢写程序", "is not in Japanese"),
        ({"language": "ko"}, "나는 학생입니다", None),
        ({"language": "ta"}, "நான் ஒரு மாணவன்", None),
        ({"language": "ru"}, "plain English", "is not in Russian"),
        ({"language": "en"}, "42!", "is not in English"),
        ({"language": "en"}, "这是中文", "is not in English"),
    ],
)
def test_verdict(verdict, args, answer, reason):
    assert verdict("response_language", answer, **args) == reason


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        ({"language": "xx"}, "language 'xx' is not known"),
        ({"language": "English"}, "language 'English' is not known"),
    ],
)
def test_args(verdict, args, reason):
    found = verdict("response_language", "an answer", **args)
    assert reason in found


def test_what_only_the_classifier_knows_is_an_error_without_it(verdict, monkeypatch):
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(UserError, match="needs py3langid") as caught:
        verdict("response_language", "The library closes at six.", language="fr")
    assert caught.value.code is Exit.UNAVAILABLE
    assert verdict("response_language", "Поезд опоздал", language="fr") == "is not in French"


def test_languages_of_one_script(verdict):
    pytest.importorskip("py3langid")
    text = "La bibliothèque ferme à six heures du soir."
    assert verdict("response_language", text, language="fr") is None
    assert verdict("response_language", text, language="es") == "is not in Spanish"
