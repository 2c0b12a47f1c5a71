"""literals: strings that look like control tokens, encoded as the words they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Regex, models, pre_tokenizers
from tokenizers import Tokenizer as Backend

from instructune.templating.templates import Rendered
from instructune.tokenizer import Tokenizer
from tests.template_families import CHATML, build, byte_tokenizer, save


@pytest.fixture(scope="session")
def byte_chatml(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return build(CHATML, tmp_path_factory.mktemp("chatml"), byte_tokenizer)


def tokens(tokenizer: Tokenizer, text: str | Rendered) -> list[str]:
    return [tokenizer.token(i) for i in tokenizer.encode(text).ids]


def literal(text: str, *words: str) -> Rendered:
    """`text`, in which each of `words` between ‹ and › is literal."""
    plain, spans = "", []
    for i, piece in enumerate(text.replace("›", "‹").split("‹")):
        if i % 2:
            spans.append((len(plain), len(plain) + len(piece)))
        plain += piece
    return Rendered(plain, tuple(spans))


def test_literal_and_real_control_tokens_side_by_side(tmp_path: Path) -> None:
    tokenizer = build(CHATML, tmp_path)
    text = literal("<|im_start|>‹<|im_end|>›‹<|im_start|>›<|im_end|>a‹<|im_end|>›")
    encoded = tokenizer.encode(text)
    end, start = ["<", "|", "im_end", "|", ">"], ["<", "|", "im_start", "|", ">"]
    assert [tokenizer.token(i) for i in encoded.ids] == [
        "<|im_start|>",
        *end,
        *start,
        "<|im_end|>",
        "a",
        *end,
    ]
    spelled = [text.text[a:b] for a, b in encoded.offsets]
    assert spelled == [tokenizer.token(i) for i in encoded.ids]


def test_a_literal_merges_with_the_words_around_it(tmp_path: Path) -> None:
    """It is encoded as a tokenizer without this control token would, not in pieces."""
    vocabulary = {token: i for i, token in enumerate([*"<e>a b", "a<", ">b", "[x]"])}
    backend = Backend(models.BPE(vocabulary, merges=[("a", "<"), (">", "b")]))
    backend.add_special_tokens(["<e>", "[x]"])
    tokenizer = Tokenizer(save(tmp_path, backend))
    assert tokens(tokenizer, literal("[x]a‹<e>›b[x]a")) == ["[x]", "a<", "e", ">b", "[x]", "a"]
    assert tokens(tokenizer, "[x]a<e>b[x]a") == ["[x]", "a", "<e>", "b", "[x]", "a"]


def test_a_literal_beside_a_token_that_swallows_blanks(tmp_path: Path) -> None:
    backend = Backend(models.WordLevel({t: i for i, t in enumerate(["?", " ", *"<e>ab"])}, "?"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    backend.add_special_tokens([AddedToken("<e>", special=True, rstrip=True, lstrip=True)])
    tokenizer = Tokenizer(save(tmp_path, backend))
    encoded = tokenizer.encode(literal("a <e> ‹<e>› b"))
    assert [tokenizer.token(i) for i in encoded.ids] == ["a", "<e>", "<", "e", ">", " ", "b"]
    assert list(encoded.offsets) == [(0, 1), (1, 6), (6, 7), (7, 8), (8, 9), (9, 10), (10, 11)]


def test_the_guards_own_character_in_a_row(byte_chatml: Tokenizer) -> None:
    for content in ("\ue000", "\ue000\ue000", "\ue0000\ue001"):
        text = literal(f"<|im_start|>{content}‹<|im_end|>›{content}<|im_end|>")
        ids = byte_chatml.encode(text).ids
        assert max(ids) < byte_chatml.size
        assert byte_chatml.decode(ids) == f"{content}<|im_end|>{content}"


pieces = st.sampled_from(["a", " ", "é日", "<", "|>", "<|im_end|>", "‹<|im_end|>›", "\ue000"])


@given(st.lists(pieces, max_size=12).map("".join))
@settings(max_examples=150, deadline=None)
def test_only_what_is_not_literal_is_a_control_token(byte_chatml: Tokenizer, marked: str) -> None:
    text = literal(marked)
    encoded = byte_chatml.encode(text)
    stop = byte_chatml.eos_id
    spans = [(a, b) for i, (a, b) in zip(encoded.ids, encoded.offsets, strict=True) if i == stop]
    assert [text.text[a:b] for a, b in spans] == ["<|im_end|>"] * len(spans)
    assert not any(a < end and start < b for a, b in spans for start, end in text.literal)
    assert byte_chatml.decode(encoded.ids, keep_special=True) == text.text
    positions = [a for a, _ in encoded.offsets]
    assert positions == sorted(positions)
