"""html: records with markup, without it, and with entities in it."""

from __future__ import annotations

from collections import Counter

import pytest

from instructune.errors import Exit, UserError
from instructune.records import Record
from instructune.transforms.html import Options, Transform


def test_turns_and_entities():
    pytest.importorskip("selectolax")
    changes: Counter[str] = Counter()
    turns = [{"role": "user", "content": "<p>a</p><p>b</p>"}]
    (after,) = Transform(Options())(Record(id="a", messages=turns), changes)
    assert after["messages"] == [{"role": "user", "content": "a\n\nb"}]
    text = "<p>from <b>Rome</b> &amp; back</p>"
    record = Record(id="b", text=text, entities=[{"start": 11, "end": 15, "type": "L"}])
    (after,) = Transform(Options())(record, changes)
    assert after["text"] == "from Rome & back"
    assert after["entities"] == [{"start": 5, "end": 9, "type": "L"}]
    assert changes == {"HTML made text": 2}


def test_an_entity_inside_a_tag_keeps_the_text():
    pytest.importorskip("selectolax")
    changes: Counter[str] = Counter()
    record = Record(
        id="a", text='<a href="Rome">x</a>', entities=[{"start": 9, "end": 13, "type": "L"}]
    )
    assert Transform(Options())(record, changes) == [record]
    assert changes == {"HTML left: it would lose entities": 1}


def test_without_markup_nothing_is_needed(monkeypatch):
    import instructune.transforms.html as module

    def missing(*names: str | None) -> None:
        raise UserError("missing", code=Exit.UNAVAILABLE)

    monkeypatch.setattr(module, "extra", missing)
    record = Record(id="a", text="1 < 2, a <b or &amp")
    assert Transform(Options())(record, Counter())[0] is record
    entity = Record(id="a", text="&amp;")
    assert Transform(Options(entities=False))(entity, Counter())[0] is entity
    assert Transform(Options())(entity, Counter())[0]["text"] == "&"
    with pytest.raises(UserError, match="missing"):
        Transform(Options())(Record(id="a", text="<p>x</p>"), Counter())
