"""tokenizer: files in, ids and offsets out; a row's words never become control tokens."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers, processors

from instructune.errors import Exit, UserError
from instructune.templating.templates import FALLBACK, Rendered
from instructune.tokenizer import Tokenizer
from tests.template_families import (
    CHATML,
    LLAMA_3,
    build,
    byte_tokenizer,
    marking_tokenizer,
    save,
    word_tokenizer,
)


def loaded(folder: Path, backend: Backend, **config: object) -> Tokenizer:
    return Tokenizer(save(folder, backend, **config))


def tokens(tokenizer: Tokenizer, text: str | Rendered) -> list[str]:
    return [tokenizer.token(i) for i in tokenizer.encode(text).ids]


# --- what the files say


def test_named_tokens_are_read_from_either_file_and_shape(tmp_path: Path) -> None:
    folder = save(
        tmp_path,
        word_tokenizer(["<s>", "</s>", "<pad>"]),
        eos_token={"content": "</s>", "special": True},
        pad_token=None,
        unk_token="<nowhere>",
    )
    (folder / "special_tokens_map.json").write_text('{"bos_token": "<s>", "pad_token": "<pad>"}')
    tokenizer = Tokenizer(folder)
    assert tokenizer.tokens == {"bos_token": "<s>", "eos_token": "</s>"}
    assert (tokenizer.eos_id, tokenizer.pad_id) == (1, 1)
    assert tokenizer.template_name == FALLBACK
    assert tokenizer.special_ids == {0, 1, 2}


def test_stop_ids_of_generation_and_model_config(tmp_path: Path) -> None:
    folder = save(tmp_path, word_tokenizer(["<s>", "</s>", "<e>"]), eos_token="</s>")
    assert Tokenizer(folder).stop_ids == {1}
    (folder / "config.json").write_text('{"eos_token_id": 0}')
    assert Tokenizer(folder).stop_ids == {0, 1}
    (folder / "generation_config.json").write_text('{"eos_token_id": [2, 99999]}')
    assert Tokenizer(folder).stop_ids == {1, 2}


def test_tokens_that_stop_or_are_named_are_control_tokens_though_not_special(
    tmp_path: Path,
) -> None:
    backend = word_tokenizer(["<s>"], ["<end>", "<pad>", "<think>"])
    tokenizer = loaded(tmp_path, backend, stops=["<end>"], pad_token="<pad>", eos_token="<s>")
    assert set(tokenizer.control) == {"<s>", "<end>", "<pad>"}
    text = "<end>a<pad>b<think>"
    assert tokens(tokenizer, text) == ["<end>", "a", "<pad>", "b", "<think>"]
    assert tokens(tokenizer, tokenizer.template.literal(text)) == [
        *["<", "<unk>", ">"],
        "a",
        *["<", "<unk>", ">"],
        "b",
        "<think>",
    ]
    assert tokenizer.decode(tokenizer.encode(text).ids) == "ab<think>"


@pytest.mark.parametrize(
    ("content", "reason", "code"),
    [
        (None, "no tokenizer.json", Exit.NO_INPUT),
        ("{", "not a tokenizer (EOF", Exit.MISMATCH),
        ('{"model": {"type": "Unheard"}}', "not a tokenizer (", Exit.MISMATCH),
    ],
)
def test_a_folder_without_a_tokenizer(
    content: str | None, reason: str, code: Exit, tmp_path: Path
) -> None:
    if content:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(UserError) as failure:
        Tokenizer(tmp_path)
    assert failure.value.reason.startswith(reason)
    assert failure.value.code == code
    assert str(tmp_path) in (failure.value.where or "")


def test_a_config_that_is_no_object(tmp_path: Path) -> None:
    folder = save(tmp_path, word_tokenizer(["</s>"]))
    (folder / "tokenizer_config.json").write_text("[]")
    with pytest.raises(UserError, match="must hold a JSON object"):
        Tokenizer(folder)


def test_the_template_is_the_one_asked_for_then_the_models_own(tmp_path: Path) -> None:
    own = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]
    folder = save(tmp_path, word_tokenizer(["</s>"]), eos_token="</s>", chat_template=own)
    assert (Tokenizer(folder).template.source, Tokenizer(folder).template_name) == ("D", "model")
    (folder / "chat_template.jinja").write_text("F")
    assert Tokenizer(folder).template.source == "F"
    asked = Tokenizer(folder, "chatml")
    assert (asked.template.source, asked.template_name) == (CHATML.template, "chatml")
    (folder / "other.jinja").write_text("O")
    assert Tokenizer(folder, str(folder / "other.jinja")).template.source == "O"


def test_a_broken_template_names_its_place(tmp_path: Path) -> None:
    folder = save(tmp_path, word_tokenizer(["</s>"]), template="{% if %}")
    path = str(tmp_path / "other.jinja")
    Path(path).write_text("\n{{")
    for asked, where in ((None, str(folder)), (path, path)):
        with pytest.raises(UserError, match="has a fault in line") as failure:
            Tokenizer(folder, asked)
        assert failure.value.where == where


def test_a_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    first = build(LLAMA_3, tmp_path / "a")
    first.config["chat_template"] = "an older one"
    (tmp_path / "b").mkdir()
    first.save(tmp_path / "b")
    second = Tokenizer(tmp_path / "b")
    assert second.fingerprint == first.fingerprint
    assert second.template.source == LLAMA_3.template
    theirs = AutoTokenizer.from_pretrained(tmp_path / "b")
    assert theirs.chat_template == LLAMA_3.template
    assert theirs("hi two", add_special_tokens=False).input_ids == first.encode("hi two").ids


def test_the_fingerprint_tells_templates_and_vocabularies_apart(tmp_path: Path) -> None:
    prints = {
        build(LLAMA_3, tmp_path / "a").fingerprint,
        build(LLAMA_3, tmp_path / "b", byte_tokenizer).fingerprint,
        Tokenizer(tmp_path / "a", "chatml").fingerprint,
        Tokenizer(tmp_path / "a", "alpaca").fingerprint,
    }
    assert len(prints) == 4
    assert Tokenizer(tmp_path / "a").fingerprint in prints


# --- encoding


def test_padding_truncation_and_added_tokens_of_the_file_are_off(tmp_path: Path) -> None:
    backend = word_tokenizer(["<s>", "</s>"])
    backend.enable_padding(length=9)
    backend.enable_truncation(2)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    tokenizer = loaded(tmp_path, backend, bos_token="<s>")
    assert tokens(tokenizer, "hi two four") == ["hi", " ", "two", " ", "four"]
    assert tokenizer.lead == [0]


@pytest.mark.parametrize(
    ("single", "lead"),
    [("$A", []), ("<s> $A", ["<s>"]), ("$A </s>", []), ("<s> <e> $A </s>", ["<s>", "<e>"])],
)
@pytest.mark.parametrize("config", [{}, {"add_bos_token": False}, {"add_bos_token": True}])
def test_what_stands_before_a_text(
    single: str, lead: list[str], config: dict[str, bool], tmp_path: Path
) -> None:
    """The post-processor says it, as in transformers, whatever the config says."""
    from transformers import AutoTokenizer

    control = ["<s>", "</s>", "<e>"]
    backend = word_tokenizer(control)
    backend.post_processor = processors.TemplateProcessing(
        single=single, special_tokens=[(token, i) for i, token in enumerate(control)]
    )
    tokenizer = loaded(tmp_path, backend, bos_token="<s>", eos_token="</s>", **config)
    assert [tokenizer.token(i) for i in tokenizer.lead] == lead
    theirs = AutoTokenizer.from_pretrained(tmp_path)("hi").input_ids
    assert tokenizer.lead + tokenizer.encode("hi").ids == theirs[: len(lead) + 1]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("first", ["▁ab", "<s>", "ab", "</s>", "1", "▁ab"]),
        ("always", ["▁ab", "<s>", "▁ab", "</s>", "▁", "1", "▁ab"]),
        ("never", ["ab", "<s>", "ab", "</s>", "1", "▁ab"]),
        ("legacy", ["▁ab", "<s>", "▁ab", "</s>", "▁", "1", "▁ab"]),
    ],
)
def test_marked_words_are_those_of_the_whole_text(
    kind: str, expected: list[str], tmp_path: Path
) -> None:
    """A text encoded in segments would mark the first word of each: Llama 2 and Mistral do not."""
    tokenizer = loaded(tmp_path, marking_tokenizer(kind))
    text = "ab<s>ab</s>1 ab"
    assert tokens(tokenizer, text) == expected
    # the stretch with the literal is encoded anew, and as in the middle of the text as it was
    word = Rendered("ab<s>ab</s>1 ab", literal=((7, 11),))
    start = expected[: expected.index("</s>")]
    assert tokens(tokenizer, word) == [*start, "<", "/", "s", ">", "1", "▁ab"]
    first = Rendered("<s>ab", literal=((0, 3),))
    mark = [] if kind == "never" else ["▁"]
    assert tokens(tokenizer, first) == [*mark, "<", "s", ">", "ab"]


def test_offsets_are_characters_and_reach_over_the_blank(tmp_path: Path) -> None:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*alphabet, "Ġa"])}
    backend = Backend(models.BPE(vocabulary, merges=[("Ġ", "a")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.ByteLevel(trim_offsets=True)
    backend.add_special_tokens(["<s>"])
    encoded = loaded(tmp_path, backend).encode("é a日<s>")
    assert list(encoded.offsets) == [(0, 1), (0, 1), (1, 3), (3, 4), (3, 4), (3, 4), (4, 7)]
    assert encoded.offsets[-1] == (4, 7)
    assert encoded.offsets[1:3] == [(0, 1), (1, 3)]
    assert len(encoded.offsets) == len(encoded.ids) == 7
    with pytest.raises(IndexError):
        encoded.offsets[7]


def test_batches_are_encoded_as_single_texts(tmp_path: Path) -> None:
    tokenizer = build(CHATML, tmp_path)
    texts = [
        Rendered("hi<|im_end|>"),
        tokenizer.template.literal("hi<|im_end|>"),
        Rendered(""),
        Rendered("two"),
    ]
    batch = tokenizer.encode_batch(texts)
    assert [e.ids for e in batch] == [tokenizer.encode(text).ids for text in texts]
    assert batch[0].ids != batch[1].ids


# --- decoding


def test_decoding_leaves_control_tokens_out_unless_asked(tmp_path: Path) -> None:
    tokenizer = build(CHATML, tmp_path)
    ids = tokenizer.encode("<|im_start|>two plus<|im_end|>").ids
    assert tokenizer.decode(ids) == "two plus"
    assert tokenizer.decode(ids, keep_special=True) == "<|im_start|>two plus<|im_end|>"
    assert tokenizer.decode(tuple(ids[:2])) == "two"
    assert tokenizer.token(10**6) == "<1000000>"


def test_eos_that_is_also_the_token_for_unknown_words(tmp_path: Path) -> None:
    """GPT-2 has one token for everything."""
    backend = word_tokenizer(["<unk>"])
    named = {f"{name}_token": "<unk>" for name in ("bos", "eos", "unk")}
    tokenizer = loaded(tmp_path, backend, **named)
    assert tokenizer.special_ids == {tokenizer.eos_id} == {0}
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert set(config) == set(tokenizer.tokens)
