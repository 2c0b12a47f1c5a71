"""explained: the page shows what is there, and nothing in a row becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from instructune.reports.explained import explained

HOSTILE = "</title></style></svg><script>x()</script><img src=x onerror=y()>\"' &amp; \x1b[2J\u202e"
TAGS = {
    *("html", "meta", "title", "style", "h1", "h2", "section", "p", "span"),
    *("table", "tr", "th", "td", "div", "svg", "g", "text", "rect"),
}


def explanation(**more: Any) -> dict[str, Any]:
    found = {"method": "gradient", "target": "the answer", "tokens": ["a", " b\n"]}
    return found | {"values": [0.5, -1.0], "check": {"score": -2.5}} | more


MAP = {"answer": ["x", "y"], "map": [[0.75, 0.25], [0.5, 0.5]]}
NEAR = {"neighbours": [{"id": "t1", "similarity": 0.5, "prompt": "q", "answer": "a"}]}


class Tags(HTMLParser):
    """All tags and attributes of a page, and its text."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_rows_stay_text():
    evil = explanation(
        method=HOSTILE,
        target=HOSTILE,
        tokens=[HOSTILE, "b"],
        answer=[HOSTILE],
        map=[[0.5, 0.5]],
        neighbours=[{"id": HOSTILE, "similarity": 1, "prompt": HOSTILE, "origin": HOSTILE}],
        check={HOSTILE: HOSTILE},
        error=HOSTILE,
    )
    row = {"id": HOSTILE, "prediction": HOSTILE, "sample": HOSTILE, "explanation": evil}
    data = explained(HOSTILE, [row])
    found = Tags(data)
    assert found.tags <= TAGS
    wanted = {"style", "title", "class", "role", "width", "height", "x", "y", "text-anchor"}
    meta = {"lang", "charset", "name", "content", "http-equiv", "transform"}
    assert found.attributes <= wanted | meta
    assert found.text.count("<script>x()</script>") > 5
    assert b"\x1b" not in data
    assert "\u202e" not in data.decode()
    assert b"default-src 'none'" in data
    for outside in (b"http:", b"https:", b"@import", b"url("):
        assert outside not in data


def test_colours_and_numbers():
    text = explained(
        "p.jsonl", [{"id": "1", "prediction": "x", "explanation": explanation()}]
    ).decode()
    assert 'style="background:rgb(var(--bar-fill) / 0.350)" title="+0.5">a</span>' in text
    assert 'style="background:rgb(var(--bad-fill) / 0.700)" title="-1"> b↵\n</span>' in text
    assert "gradient: the answer. score -2.5" in text
    assert 'content="width=device-width, ' in text


def test_a_heat_map_has_a_cell_for_each_pair():
    row = {"id": "1", "prediction": "x", "explanation": explanation(**MAP)}
    text = explained("p", [row]).decode()
    assert text.count("<rect") == 4
    assert "<title>y → ␣b↵: 0.5</title>" in text
    wide = explanation(tokens=["t"] * 80, values=[0.0] * 80, answer=["x"], map=[[0.0] * 79 + [1.0]])
    text = explained("p", [row | {"explanation": wide}]).decode()
    assert text.count("<rect") == 60
    assert "but for 20 columns" in text
    assert "x → t: 1</title>" in text


def test_samples_and_neighbours_are_told():
    near = {"method": "neighbours", "target": "cosine"} | NEAR
    found = Tags(
        explained("p", [{"id": "a", "sample": 2, "prediction": None, "explanation": near}])
    )
    assert "a, sample 2" in found.text
    assert "t1" in found.text
