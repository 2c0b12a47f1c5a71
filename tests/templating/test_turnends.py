"""turnends: the token that ends an answer, as the template shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from instructune.errors import Exit, UserError
from instructune.templating.turnends import TurnEnds, closing
from instructune.tokenizer import Encoded, Tokenizer
from tests.template_families import FAMILIES, GLM_4, Family, build, save, word_tokenizer

PLAIN = {"role": "assistant", "content": "hello"}
CALL = {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f"}}]}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_families(family: Family, tmp_path: Path) -> None:
    tokenizer = build(family, tmp_path)
    assert tokenizer.token(TurnEnds(tokenizer).of(PLAIN)) == family.stop


def test_answers_and_calls_may_end_differently(tmp_path: Path) -> None:
    tokenizer = build(GLM_4, tmp_path)
    ends = TurnEnds(tokenizer)
    assert [tokenizer.token(ends.of(m)) for m in (CALL, PLAIN, CALL)] == [
        "<|observation|>",
        "<|user|>",
        "<|observation|>",
    ]


TURN = "{% for m in messages %}{{ m.role + ':' + (m.content or '') }}"
SHORT = "{% if messages | length > 2 %}{{ raise_exception('one turn') }}{% endif %}"
CALLS = "{% for c in m.tool_calls or [] %}{{ '<c>' + c.function.name + '</c>' }}{% endfor %}"


@pytest.mark.parametrize(
    ("source", "message", "end"),
    [
        (TURN + "</s>{% endfor %}", PLAIN, "</s>"),
        (TURN + "<e></s>{% endfor %}", PLAIN, "</s>"),
        (TURN + "<e>\n{% endfor %}</s>", PLAIN, "<e>"),
        (TURN + "\n{% endfor %}<e>", PLAIN, "<e>"),
        (TURN + "{% if loop.last %}<e>{% else %}</s>{% endif %}{% endfor %}", PLAIN, "<e>"),
        (TURN + "\n{% endfor %}", PLAIN, "</s>"),
        ("{% for m in messages %}{{ '<c>' + m.content }}{% endfor %}", PLAIN, "<c>"),
        ("{% for m in messages %}{{ '\n<c>' + m.content }}{% endfor %}", PLAIN, "</s>"),
        # it stops with a word, so what stood before is not its end
        (TURN + "<e>.{% endfor %}", PLAIN, "</s>"),
        (TURN + CALLS + "</s>{% endfor %}", CALL, "</s>"),
        (TURN + CALLS + "{% endfor %}", CALL, "</c>"),
        ("{{ raise_exception('tools are missing') }}", CALL, "</s>"),
        (
            "{% if messages | length > 2 %}{{ raise_exception('') }}{% endif %}"
            + TURN
            + "<e>{% endfor %}",
            PLAIN,
            "<e>",
        ),
    ],
)
def test_layouts(source: str, message: dict[str, object], end: str, tmp_path: Path) -> None:
    backend = word_tokenizer(["</s>", "<e>", "<c>", "</c>"])
    tokenizer = Tokenizer(save(tmp_path, backend, template=source, eos_token="</s>"))
    assert tokenizer.token(TurnEnds(tokenizer).of(message)) == end


@pytest.mark.parametrize(
    ("source", "message", "reason"),
    [
        ("{{ messages[0].content }}", PLAIN, "the chat template does not write answers"),
        ("{{ messages[1].content }}", PLAIN, "the chat template does not write questions"),
        (TURN + "{% endfor %}", CALL, "the chat template does not write tool calls"),
    ],
)
def test_what_a_template_leaves_out(
    source: str, message: dict[str, object], reason: str, tmp_path: Path
) -> None:
    folder = save(tmp_path, word_tokenizer(["</s>"]), template=source, eos_token="</s>")
    with pytest.raises(UserError) as failure:
        TurnEnds(Tokenizer(folder)).of(message)
    assert (failure.value.reason, failure.value.code) == (reason, Exit.MISMATCH)


def test_no_end_of_text(tmp_path: Path) -> None:
    folder = save(tmp_path, word_tokenizer(["<s>"]), template=TURN + "{% endfor %}")
    with pytest.raises(UserError, match="no token ends an answer") as failure:
        TurnEnds(Tokenizer(folder)).of(PLAIN)
    assert failure.value.code == Exit.MISMATCH


def test_closing_tokens_are_those_that_only_blanks_follow() -> None:
    text = "a</s>b <e>\n</s> "
    offsets = [(0, 1), (1, 5), (5, 6), (6, 7), (7, 10), (10, 11), (11, 15), (15, 16)]
    encoded = Encoded([10, 1, 11, 12, 2, 13, 1, 12], offsets)
    special = frozenset({1, 2})
    assert closing(text, encoded, 0, 8, special) == [4, 6]
    assert closing(text, encoded, 5, 8, special) == [6]
    assert closing(text, encoded, 0, 3, special) == []
    assert closing(text, encoded, 0, 2, special) == [1]
    assert closing(text, encoded, 4, 4, special) == []
