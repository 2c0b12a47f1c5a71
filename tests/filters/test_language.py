"""language: scripts and small words at sight, the model for the rest."""

from __future__ import annotations

import pytest

from instructune.errors import Exit, UserError
from instructune.filters.language import Filter, Options
from instructune.records import Record

ENGLISH = "The quick answer is that you can keep the rest of it for the winter."
GERMAN = "Das ist eine ziemlich lange Antwort, die niemand auf Englisch geschrieben hat."
FRENCH = "Cette réponse est assez longue pour que la langue en soit reconnue sans peine."


def reason(text: str, allow: str = "en+zh", **options: object) -> str | None:
    return Filter(Options(allow=tuple(allow.split("+")), **options))(Record(id="1", text=text))


@pytest.mark.parametrize(
    "text",
    [
        ENGLISH,
        "请用一句话介绍你自己。",
        "请解释 transformer 里 attention 的计算过程",
        "42",
        "Paris, Texas",
        "```\nfür jede Zeile der Datei, die niemand lesen will, tun wir dies\n```",
    ],
)
def test_at_sight(text, monkeypatch):
    import instructune.filters.language as module

    monkeypatch.setattr(module, "extra", None)
    assert reason(text) is None


@pytest.mark.parametrize(
    "text", ["これは日本語の文章です。", "이것은 한국어 문장입니다.", "Αυτό είναι ελληνικά."]
)
def test_other_scripts(text):
    assert reason(text) == "text not in en or zh"


def test_the_model_tells_the_rest():
    pytest.importorskip("py3langid")
    assert reason(GERMAN) == "text not in en or zh"
    assert reason(FRENCH) == "text not in en or zh"
    assert reason(FRENCH, "en+fr") is None
    assert reason(ENGLISH, "fr") == "text not in fr"
    assert reason(GERMAN, min_letters=100) is None
    assert reason(GERMAN, min_confidence=1.1) is None
    turns = [{"role": "user", "content": ENGLISH}, {"role": "assistant", "content": GERMAN}]
    record = Record(id="1", messages=turns)
    assert Filter(Options(allow=("en",)))(record) == "answer not in en"
    assert Filter(Options(allow=("en",), side="prompt"))(record) is None


def test_what_is_missing_or_wrong(monkeypatch):
    with pytest.raises(UserError, match="'english' is no language code"):
        Filter(Options(allow=("english",)))
    import sys

    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    with pytest.raises(UserError) as told:
        reason(GERMAN)
    assert told.value.code == Exit.UNAVAILABLE
    assert "instructune[clean]" in str(told.value)
