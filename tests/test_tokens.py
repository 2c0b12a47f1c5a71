"""tokens: which tokens of a chat are learned, written out token for token for each family.

`learned « hello </s> » context`, with `␣` for a blank and `⏎` for a line end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, pre_tokenizers, processors
from tokenizers import Tokenizer as Backend

from instructune.errors import Exit, UserError
from instructune.records import Record
from instructune.tokenizer import Tokenizer
from instructune.tokens import Encoding, TokenRow, prompt_ids
from tests.template_families import (
    ALPACA,
    CHATML,
    FAMILIES,
    GEMMA,
    GLM_4,
    GLM_45,
    HARMONY,
    LLAMA_2,
    LLAMA_3,
    MISTRAL,
    PHI_3,
    QWEN_3,
    VICUNA,
    ZEPHYR,
    Family,
    all_learned,
    build,
    byte_tokenizer,
    chat,
    last_learned,
    marking_tokenizer,
    save,
    shown,
    tidy,
    word_tokenizer,
)

ONE = ("user: hi", "assistant: hello")
TWO = (*ONE, "user: two plus two?", "assistant: four")
SYSTEM = ("system: be brief", *TWO)

# Per family: the sequences of ONE, and those of SYSTEM (of TWO where there is no system turn).
MASKS = {
    "chatml": (
        ["<|im_start|> user ⏎ hi <|im_end|> ⏎ <|im_start|> assistant ⏎ « hello <|im_end|> » ⏎"],
        [
            """<|im_start|> system ⏎ be ␣ brief <|im_end|> ⏎
            <|im_start|> user ⏎ hi <|im_end|> ⏎
            <|im_start|> assistant ⏎ « hello <|im_end|> » ⏎
            <|im_start|> user ⏎ two ␣ plus ␣ two ? <|im_end|> ⏎
            <|im_start|> assistant ⏎ « four <|im_end|> » ⏎"""
        ],
    ),
    "llama2": (
        ["<s> [ INST ] ␣ hi ␣ [ / INST ] « ␣ hello ␣ </s> »"],
        [
            """<s> [ INST ] ␣ < < SYS > > ⏎ be ␣ brief ⏎ < < / SYS > > ⏎ ⏎ hi ␣ [ / INST ]
            « ␣ hello ␣ </s> »
            <s> [ INST ] ␣ two ␣ plus ␣ two ? ␣ [ / INST ] « ␣ four ␣ </s> »"""
        ],
    ),
    "llama3": (
        [
            """<|begin_of_text|>
            <|start_header_id|> user <|end_header_id|> ⏎ ⏎ hi <|eot_id|>
            <|start_header_id|> assistant <|end_header_id|> ⏎ ⏎ « hello <|eot_id|> »"""
        ],
        [
            """<|begin_of_text|>
            <|start_header_id|> system <|end_header_id|> ⏎ ⏎ be ␣ brief <|eot_id|>
            <|start_header_id|> user <|end_header_id|> ⏎ ⏎ hi <|eot_id|>
            <|start_header_id|> assistant <|end_header_id|> ⏎ ⏎ « hello <|eot_id|> »
            <|start_header_id|> user <|end_header_id|> ⏎ ⏎ two ␣ plus ␣ two ? <|eot_id|>
            <|start_header_id|> assistant <|end_header_id|> ⏎ ⏎ « four <|eot_id|> »"""
        ],
    ),
    "gemma": (
        [
            """<bos> <start_of_turn> user ⏎ hi <end_of_turn> ⏎
            <start_of_turn> model ⏎ « hello <end_of_turn> » ⏎"""
        ],
        [
            """<bos> <start_of_turn> user ⏎ hi <end_of_turn> ⏎
            <start_of_turn> model ⏎ « hello <end_of_turn> » ⏎
            <start_of_turn> user ⏎ two ␣ plus ␣ two ? <end_of_turn> ⏎
            <start_of_turn> model ⏎ « four <end_of_turn> » ⏎"""
        ],
    ),
    "mistral": (
        ["<s> [INST] ␣ hi [/INST] « ␣ hello </s> »"],
        [
            """<s> [INST] ␣ hi [/INST] « ␣ hello </s> »
            [INST] ␣ two ␣ plus ␣ two ? [/INST] « ␣ four </s> »"""
        ],
    ),
    "phi3": (
        ["<|user|> ⏎ hi <|end|> ⏎ <|assistant|> ⏎ « hello <|end|> » ⏎ <|endoftext|>"],
        [
            """<|system|> ⏎ be ␣ brief <|end|> ⏎ <|user|> ⏎ hi <|end|> ⏎
            <|assistant|> ⏎ « hello <|end|> » ⏎ <|endoftext|>""",
            """<|system|> ⏎ be ␣ brief <|end|> ⏎ <|user|> ⏎ hi <|end|> ⏎
            <|assistant|> ⏎ hello <|end|> ⏎ <|user|> ⏎ two ␣ plus ␣ two ? <|end|> ⏎
            <|assistant|> ⏎ « four <|end|> » ⏎ <|endoftext|>""",
        ],
    ),
    "qwen3": (
        [
            """<|im_start|> user ⏎ hi <|im_end|> ⏎
            <|im_start|> assistant ⏎ « <think> ⏎ ⏎ </think> ⏎ ⏎ hello <|im_end|> » ⏎"""
        ],
        [
            """<|im_start|> system ⏎ be ␣ brief <|im_end|> ⏎
            <|im_start|> user ⏎ hi <|im_end|> ⏎
            <|im_start|> assistant ⏎ « <think> ⏎ ⏎ </think> ⏎ ⏎ hello <|im_end|> » ⏎""",
            """<|im_start|> system ⏎ be ␣ brief <|im_end|> ⏎
            <|im_start|> user ⏎ hi <|im_end|> ⏎
            <|im_start|> assistant ⏎ hello <|im_end|> ⏎
            <|im_start|> user ⏎ two ␣ plus ␣ two ? <|im_end|> ⏎
            <|im_start|> assistant ⏎ « <think> ⏎ ⏎ </think> ⏎ ⏎ four <|im_end|> » ⏎""",
        ],
    ),
    "deepseek": (
        ["<｜begin▁of▁sentence｜> <｜User｜> hi <｜Assistant｜> « hello <｜end▁of▁sentence｜> »"],
        [
            """<｜begin▁of▁sentence｜> be ␣ brief
            <｜User｜> hi <｜Assistant｜> « hello <｜end▁of▁sentence｜> »
            <｜User｜> two ␣ plus ␣ two ? <｜Assistant｜> « four <｜end▁of▁sentence｜> »"""
        ],
    ),
    "zephyr": (
        ["< | user | > ⏎ hi </s> ⏎ < | assistant | > ⏎ « hello </s> » ⏎"],
        [
            """< | system | > ⏎ be ␣ brief </s> ⏎ < | user | > ⏎ hi </s> ⏎
            < | assistant | > ⏎ « hello </s> » ⏎
            < | user | > ⏎ two ␣ plus ␣ two ? </s> ⏎ < | assistant | > ⏎ « four </s> » ⏎"""
        ],
    ),
    "glm4": (
        ["[gMASK] <sop> <|user|> ⏎ hi <|assistant|> « ⏎ hello <|user|> »"],
        [
            """[gMASK] <sop> <|system|> ⏎ be ␣ brief <|user|> ⏎ hi <|assistant|>
            « ⏎ hello <|user|> » ⏎ two ␣ plus ␣ two ? <|assistant|> « ⏎ four <|user|> »"""
        ],
    ),
    "glm45": (
        ["[gMASK] <sop> <|user|> ⏎ hi <|assistant|> « ⏎ <think> </think> ⏎ hello <|user|> »"],
        [
            """[gMASK] <sop> <|system|> ⏎ be ␣ brief <|user|> ⏎ hi <|assistant|>
            « ⏎ <think> </think> ⏎ hello <|user|> » ⏎ two ␣ plus ␣ two ? <|assistant|>
            « ⏎ <think> </think> ⏎ four <|user|> »"""
        ],
    ),
    "vicuna": (
        ["<s> USER : ␣ hi ␣ ASSISTANT : « ␣ hello </s> »"],
        [
            """<s> be ␣ brief ␣ USER : ␣ hi ␣ ASSISTANT : « ␣ hello </s> »
            USER : ␣ two ␣ plus ␣ two ? ␣ ASSISTANT : « ␣ four </s> »"""
        ],
    ),
    "alpaca": (
        [
            """<s> # # # ␣ Instruction : ⏎ hi ⏎ ⏎
            # # # ␣ Response : ⏎ « hello </s> » ⏎ ⏎"""
        ],
        [
            """<s> be ␣ brief ⏎ ⏎ # # # ␣ Instruction : ⏎ hi ⏎ ⏎
            # # # ␣ Response : ⏎ « hello </s> » ⏎ ⏎
            # # # ␣ Instruction : ⏎ two ␣ plus ␣ two ? ⏎ ⏎
            # # # ␣ Response : ⏎ « four </s> » ⏎ ⏎"""
        ],
    ),
    "harmony": (
        [
            """<|start|> user <|message|> hi <|end|>
            <|start|> assistant « <|channel|> final <|message|> hello <|return|> »"""
        ],
        [
            """<|start|> system <|message|> be ␣ brief <|end|>
            <|start|> user <|message|> hi <|end|>
            <|start|> assistant « <|channel|> final <|message|> hello <|return|> »""",
            """<|start|> system <|message|> be ␣ brief <|end|>
            <|start|> user <|message|> hi <|end|>
            <|start|> assistant <|channel|> final <|message|> hello <|end|>
            <|start|> user <|message|> two ␣ plus ␣ two ? <|end|>
            <|start|> assistant « <|channel|> final <|message|> four <|return|> »""",
        ],
    ),
}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


@pytest.fixture(scope="session")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    return {name: build(family, tmp_path_factory.mktemp(name)) for name, family in FAMILIES.items()}


@pytest.fixture(scope="session")
def byte_tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tokenizer]:
    return {
        name: build(family, tmp_path_factory.mktemp(name), byte_tokenizer)
        for name, family in FAMILIES.items()
    }


def masks(tokenizer: Tokenizer, *records: Record, **settings: Any) -> list[str]:
    return [shown(tokenizer, row) for row in Encoding(tokenizer, **settings).sequences(records)]


def long_chat(family: Family) -> Record:
    return chat(*(SYSTEM if family.system else TWO))


def learned(row: TokenRow) -> list[list[int]]:
    """Runs of learned ids."""
    runs: list[list[int]] = []
    for i, (token, weight) in enumerate(zip(row.ids, row.weights, strict=True)):
        if weight:
            if not row.weights[i - 1]:
                runs.append([])
            runs[-1].append(token)
    return runs


@every_family
def test_masks(family: Family, tokenizers: dict[str, Tokenizer]) -> None:
    one, long = MASKS[family.name]
    tokenizer = tokenizers[family.name]
    assert masks(tokenizer, chat(*ONE)) == [tidy(mask) for mask in one]
    assert masks(tokenizer, long_chat(family)) == [tidy(mask) for mask in long]


@every_family
def test_only_the_last_answer(family: Family, tokenizers: dict[str, Tokenizer]) -> None:
    one, long = MASKS[family.name]
    tokenizer = tokenizers[family.name]
    assert masks(tokenizer, chat(*ONE), train_on="last") == [tidy(one[0])]
    assert masks(tokenizer, long_chat(family), train_on="last") == [last_learned(long[-1])]


@every_family
def test_everything(family: Family, tokenizers: dict[str, Tokenizer]) -> None:
    one, long = MASKS[family.name]
    tokenizer = tokenizers[family.name]
    assert masks(tokenizer, chat(*ONE), train_on="all") == [all_learned(one[0])]
    assert masks(tokenizer, long_chat(family), train_on="all") == [all_learned(long[-1])]


@every_family
def test_each_answer_is_learned_with_its_stop(
    family: Family, tokenizers: dict[str, Tokenizer]
) -> None:
    tokenizer = tokenizers[family.name]
    encoding = Encoding(tokenizer)
    runs = [run for row in encoding.sequences([long_chat(family)]) for run in learned(row)]
    assert [tokenizer.token(run[-1]) for run in runs] == [family.stop] * 2
    first, second = (tokenizer.decode(run).strip() for run in runs)
    assert first.endswith("hello")
    assert second.endswith("four")
    assert {tokenizer.token(i) for i in encoding.stops} == {family.stop}


@every_family
@pytest.mark.parametrize("train_on", ["assistant", "last"])
def test_the_prompt_of_generation_is_the_prompt_of_training(
    family: Family, train_on: str, tokenizers: dict[str, Tokenizer]
) -> None:
    tokenizer = tokenizers[family.name]
    for record in (chat(*ONE), long_chat(family)):
        *_, row = Encoding(tokenizer, train_on).sequences([record])
        prompt = prompt_ids(record, tokenizer)
        assert row.ids[: len(prompt)] == prompt
        assert not row.weights[len(prompt) - 1]
        assert all(row.weights[len(prompt) : len(prompt) + 2])
        unanswered = Record(record | {"messages": record["messages"][:-1]})
        assert prompt_ids(unanswered, tokenizer) == prompt


@every_family
def test_one_bos(family: Family, tokenizers: dict[str, Tokenizer]) -> None:
    tokenizer = tokenizers[family.name]
    (row,) = Encoding(tokenizer).sequences([chat(*ONE)])
    written = family.bos is not None and "bos_token" in family.template or family.bos == "[gMASK]"
    assert [tokenizer.token(i) for i in row.ids].count(family.bos or "") == written
    assert not written or tokenizer.token(row.ids[0]) == family.bos


@every_family
def test_transformers_renders_and_encodes_the_same(
    family: Family, tokenizers: dict[str, Tokenizer]
) -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = tokenizers[family.name]
    theirs = PreTrainedTokenizerFast.from_pretrained(tokenizer.folder)
    messages = long_chat(family)["messages"]
    for k in range(1, len(messages) + 1):
        if messages[k - 1]["role"] == "system":
            continue
        for prompt in (False, True) if messages[k - 1]["role"] == "user" else (False,):
            ours = tokenizer.template.render(messages[:k], add_generation_prompt=prompt)
            assert ours.text == theirs.apply_chat_template(
                messages[:k], tokenize=False, add_generation_prompt=prompt
            )
            assert (
                tokenizer.encode(ours).ids == theirs(ours.text, add_special_tokens=False).input_ids
            )


def test_blanks_around_content_are_the_templates_business(
    tokenizers: dict[str, Tokenizer],
) -> None:
    padded = chat("user:  hi\n", "assistant: \n hello  ")
    for family in (LLAMA_2, LLAMA_3, GEMMA):
        assert masks(tokenizers[family.name], padded) == [tidy(MASKS[family.name][0][0])]
    assert masks(tokenizers["chatml"], padded) == [
        "<|im_start|> user ⏎ ␣ hi ⏎ <|im_end|> ⏎ "
        "<|im_start|> assistant ⏎ « ⏎ ␣ hello ␣ ␣ <|im_end|> » ⏎"
    ]


def test_thoughts_of_earlier_turns_are_dropped_so_each_turn_is_a_sequence(
    tokenizers: dict[str, Tokenizer],
) -> None:
    record = chat(
        "user: hi",
        {"role": "assistant", "content": "hello", "reasoning_content": "be brief"},
        "user: two plus two?",
        {"role": "assistant", "content": "four", "reasoning_content": "so sum"},
    )
    encoding = Encoding(tokenizers["qwen3"])
    assert [shown(tokenizers["qwen3"], row) for row in encoding.sequences([record, record])] == [
        tidy(mask)
        for mask in [
            """<|im_start|> user ⏎ hi <|im_end|> ⏎ <|im_start|> assistant ⏎
            « <think> ⏎ be ␣ brief ⏎ </think> ⏎ ⏎ hello <|im_end|> » ⏎""",
            """<|im_start|> user ⏎ hi <|im_end|> ⏎ <|im_start|> assistant ⏎ hello <|im_end|> ⏎
            <|im_start|> user ⏎ two ␣ plus ␣ two ? <|im_end|> ⏎ <|im_start|> assistant ⏎
            « <think> ⏎ so ␣ sum ⏎ </think> ⏎ ⏎ four <|im_end|> » ⏎""",
        ]
        * 2
    ]
    assert encoding.counts == {"rows cut into one sequence a turn, added": 2}


def test_the_next_roles_token_is_found_though_the_thoughts_before_it_change(
    tokenizers: dict[str, Tokenizer],
) -> None:
    """GLM 4.5 leaves turns open and rewrites them: the stop cannot be read off this row."""
    record = chat(
        "user: hi",
        {"role": "assistant", "content": "hello", "reasoning_content": "be brief"},
        "user: yes",
        {"role": "assistant", "content": "no", "reasoning_content": "so"},
    )
    assert masks(tokenizers["glm45"], record) == [
        tidy(mask)
        for mask in [
            """[gMASK] <sop> <|user|> ⏎ hi <|assistant|>
            « ⏎ <think> be ␣ brief </think> ⏎ hello <|user|> »""",
            """[gMASK] <sop> <|user|> ⏎ hi <|assistant|> ⏎ <think> </think> ⏎ hello
            <|user|> ⏎ yes <|assistant|> « ⏎ <think> so </think> ⏎ no <|user|> »""",
        ]
    ]


@pytest.mark.parametrize("arguments", ['{"city":"Rome"}', {"city": "Rome"}])
def test_tool_calls(arguments: Any, tokenizers: dict[str, Tokenizer]) -> None:
    call = {"type": "function", "function": {"name": "weather", "arguments": arguments}}
    record = chat(
        "user: Rome?",
        {"role": "assistant", "content": "", "tool_calls": [call]},
        "tool: sunny",
        "assistant: yes",
        tools=[{"name": "weather"}],
    )
    assert masks(tokenizers["qwen3"], record) == [
        tidy(mask)
        for mask in [
            """<|im_start|> system ⏎ tools : ⏎ { " name " : ␣ " weather " } <|im_end|> ⏎
            <|im_start|> user ⏎ Rome ? <|im_end|> ⏎
            <|im_start|> assistant ⏎ « <think> ⏎ ⏎ </think> ⏎ ⏎ <tool_call> ⏎
            { " name " : ␣ " weather " , ␣ " arguments " : ␣ { " city " : ␣ " Rome " } } ⏎
            </tool_call> <|im_end|> » ⏎""",
            """<|im_start|> system ⏎ tools : ⏎ { " name " : ␣ " weather " } <|im_end|> ⏎
            <|im_start|> user ⏎ Rome ? <|im_end|> ⏎
            <|im_start|> assistant ⏎ <tool_call> ⏎
            { " name " : ␣ " weather " , ␣ " arguments " : ␣ { " city " : ␣ " Rome " } } ⏎
            </tool_call> <|im_end|> ⏎
            <|im_start|> user ⏎ <tool_response> ⏎ sunny ⏎ </tool_response> <|im_end|> ⏎
            <|im_start|> assistant ⏎ « <think> ⏎ ⏎ </think> ⏎ ⏎ yes <|im_end|> » ⏎""",
        ]
    ]


def test_a_call_ends_with_the_token_of_the_role_that_answers_it(
    tokenizers: dict[str, Tokenizer],
) -> None:
    call = {"function": {"name": "weather", "arguments": {"city": "Rome"}}}
    asked = ("user: Rome?", {"role": "assistant", "content": "", "tool_calls": [call]})
    encoding = Encoding(tokenizers["glm4"])
    rows = encoding.sequences([chat(*asked), chat(*asked, "tool: sunny", "assistant: yes")])
    called = """[gMASK] <sop> <|user|> ⏎ Rome ? <|assistant|>
        « weather ⏎ { " city " : ␣ " Rome " } <|observation|> »"""
    assert [shown(tokenizers["glm4"], row) for row in rows] == [
        tidy(called),
        tidy(called + " ⏎ sunny <|assistant|> « ⏎ yes <|user|> »"),
    ]
    assert {tokenizers["glm4"].token(i) for i in encoding.stops} == {"<|user|>", "<|observation|>"}


def test_calls_in_the_built_in_templates(tokenizers: dict[str, Tokenizer]) -> None:
    call = {"function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
    record = chat(
        "user: Rome?",
        {"role": "assistant", "content": None, "tool_calls": [call]},
        "tool: sunny",
        "assistant: yes",
    )
    said = '{ " name " : ␣ " weather " , ␣ " arguments " : ␣ { " city " : ␣ " Rome " } }'
    assert masks(tokenizers["chatml"], record) == [
        tidy(
            f"""<|im_start|> user ⏎ Rome ? <|im_end|> ⏎
            <|im_start|> assistant ⏎
            « < tool_call > ⏎ {said} ⏎ < / tool_call > <|im_end|> » ⏎
            <|im_start|> tool ⏎ sunny <|im_end|> ⏎
            <|im_start|> assistant ⏎ « yes <|im_end|> » ⏎"""
        ).replace("tool_call", "<unk>")
    ]
    assert masks(tokenizers["alpaca"], record) == [
        tidy(
            f"""<s> # # # ␣ Instruction : ⏎ Rome ? ⏎ ⏎ # # # ␣ Response : ⏎ « {said} </s> » ⏎ ⏎
            # # # ␣ Tool : ⏎ sunny ⏎ ⏎ # # # ␣ Response : ⏎ « yes </s> » ⏎ ⏎"""
        )
    ]


def test_calls_in_a_template_that_takes_arguments_for_text(tmp_path: Path) -> None:
    """DeepSeek joins them to a text."""
    template = """{% for m in messages %}{{ '<r>' + m.content }}
{%- for call in m.tool_calls or [] %}
{{- '<c>' + call.function.name + '\n' + call.function.arguments + '</c>' }}
{%- endfor %}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '<r>' }}{% endif %}"""
    tokenizer = custom(tmp_path, template, control=("</s>", "<c>", "</c>", "<r>"))
    for arguments in ('{"city": "Rome"}', {"city": "Rome"}):
        calls = [{"function": {"name": "weather", "arguments": arguments}}]
        record = chat("user: hi", {"role": "assistant", "content": "", "tool_calls": calls})
        assert masks(tokenizer, record) == [
            '<r> hi </s> <r> « <c> weather ⏎ { " city " : ␣ " Rome " } </c> </s> »'
        ]


@pytest.mark.parametrize("family", [VICUNA, LLAMA_2, MISTRAL], ids=lambda family: family.name)
def test_a_template_that_leaves_calls_out_is_refused(
    family: Family, tokenizers: dict[str, Tokenizer]
) -> None:
    call = {"function": {"name": "weather", "arguments": {}}}
    record = chat("user: Rome?", {"role": "assistant", "content": "", "tool_calls": [call]})
    with pytest.raises(UserError, match="does not write tool calls") as failure:
        masks(tokenizers[family.name], record)
    assert (failure.value.code, failure.value.where) == (Exit.MISMATCH, "rows.jsonl:1")


def custom(tmp_path: Path, template: str, *, control: tuple[str, ...] = ("</s>",)) -> Tokenizer:
    return Tokenizer(save(tmp_path, word_tokenizer(control), template=template, eos_token="</s>"))


def test_a_template_for_lists_of_parts_is_refused(tmp_path: Path) -> None:
    template = """{% for m in messages %}{{ m.role }}:
        {%- for part in m.content if part.type == 'text' %}{{ part.text }}{% endfor %}</s>
    {%- endfor %}{% if add_generation_prompt %}assistant:{% endif %}"""
    with pytest.raises(UserError, match="does not write questions"):
        masks(custom(tmp_path, template), chat(*ONE))


def test_a_prompt_that_is_no_prefix_shows_both(tmp_path: Path) -> None:
    template = """
{%- for m in messages %}{{ '[' + m.role + ']' + m.content + eos_token }}{% endfor %}
{%- if add_generation_prompt %}{{ '[assistant]<think>' }}{% endif %}"""
    with pytest.raises(UserError) as failure:
        masks(custom(tmp_path, template), chat("user: hi", "assistant: hello"))
    assert (failure.value.code, failure.value.where) == (Exit.MISMATCH, "rows.jsonl:1")
    assert failure.value.reason == (
        "the prompt that generation would use is no prefix of the rendered answer:\n"
        "  prompt … '[user]hi</s>[assistant]<think>'\n"
        "  answer … '[user]hi</s>[assistant]hello</s>'"
    )


def test_the_system_turn_that_wanders_to_the_last_user_turn_is_no_prefix(tmp_path: Path) -> None:
    """As Mistral 0.3 does it: the system text is only there while the user turn is the last."""
    template = """
{%- set ns = namespace(system='') -%}
{%- for m in messages -%}
    {%- if m.role == 'system' -%}{%- set ns.system = m.content + '\\n\\n' -%}
    {%- elif m.role == 'user' -%}{{ '[' + (ns.system if loop.last else '') + m.content + ']' }}
    {%- else -%}{{ m.content + eos_token }}
    {%- endif -%}
{%- endfor -%}"""
    tokenizer = custom(tmp_path, template)
    assert masks(tokenizer, chat(*ONE)) == ["[ hi ] « hello </s> »"]
    with pytest.raises(UserError, match=r"(?s)'\[be brief.*'\[hi\]hello"):
        masks(tokenizer, chat(*SYSTEM))


def test_an_answer_without_an_end_gets_eos_and_a_sequence_of_its_own(tmp_path: Path) -> None:
    """Plain text between turns: nothing in the middle of a chat says that the answer is over."""
    template = """{% for m in messages %}{{ m.role + ': ' + m.content + '\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"""
    tokenizer = custom(tmp_path, template)
    encoding = Encoding(tokenizer)
    assert [shown(tokenizer, row) for row in encoding.sequences([chat(*TWO)])] == [
        "user : ␣ hi ⏎ assistant : « ␣ hello ⏎ </s> »",
        tidy(
            """user : ␣ hi ⏎ assistant : ␣ hello ⏎ user : ␣ two ␣ plus ␣ two ? ⏎
            assistant : « ␣ four ⏎ </s> »"""
        ),
    ]
    assert encoding.stops == {tokenizer.eos_id}
    # a user turn after the answer brings no end either
    trailing = masks(tokenizer, chat(*ONE, "user: yes"))
    assert trailing == ["user : ␣ hi ⏎ assistant : « ␣ hello ⏎ </s> »"]


def test_no_end_and_no_eos(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m.role + ':' + m.content }}{% endfor %}"
    tokenizer = Tokenizer(save(tmp_path, word_tokenizer([]), template=template))
    with pytest.raises(UserError, match="no token ends an answer") as failure:
        masks(tokenizer, chat("user: hi", "assistant: hello"))
    assert failure.value.code == Exit.MISMATCH


def test_an_end_of_text_at_the_end_of_the_chat_alone(tmp_path: Path) -> None:
    """What ends the chat but not a turn ends the answer where nothing else does."""
    template = """{% for m in messages %}{{ '[' + m.content + ']\\n' }}{% endfor %}
{%- if not add_generation_prompt %}{{ eos_token }}{% else %}{{ '[' }}{% endif %}"""
    assert masks(custom(tmp_path, template), chat(*TWO)) == [
        "[ hi ] ⏎ [ « hello ] ⏎ </s> »",
        "[ hi ] ⏎ [ hello ] ⏎ [ two ␣ plus ␣ two ? ] ⏎ [ « four ] ⏎ </s> »",
    ]


def test_a_turn_may_end_otherwise_than_most(tmp_path: Path) -> None:
    """The token that the template writes counts, not the one that was expected."""
    template = """{% for m in messages %}
{{- m.role + ':' + m.content + ('<e>' if m.content == 'four' else '</s>') }}{% endfor %}
{%- if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"""
    tokenizer = custom(tmp_path, template, control=("</s>", "<e>"))
    encoding = Encoding(tokenizer)
    (row,) = encoding.sequences([chat(*TWO)])
    assert shown(tokenizer, row) == tidy(
        """user : hi </s> assistant : « hello </s> »
        user : two ␣ plus ␣ two ? </s> assistant : « four <e> »"""
    )
    assert {tokenizer.token(i) for i in encoding.stops} == {"</s>", "<e>"}


def test_control_tokens_inside_an_answer_do_not_end_it(tmp_path: Path) -> None:
    """Calls in control tokens: the last of those that close the turn is the stop."""
    template = """{% for m in messages %}{{ m.role + ':' + m.content }}
{%- for call in m.tool_calls or [] %}{{ '<c>' + call.function.name + '</c>' }}{% endfor %}
{{- '</s>' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"""
    tokenizer = custom(tmp_path, template, control=("</s>", "<c>", "</c>"))
    calls = [{"function": {"name": name, "arguments": {}}} for name in ("weather", "city")]
    record = chat("user: hi", {"role": "assistant", "content": "so", "tool_calls": calls})
    assert masks(tokenizer, record) == [
        "user : hi </s> assistant : « so <c> weather </c> <c> city </c> </s> »"
    ]


GENERATION = """{% for m in messages %}{{ '<' + m.role + '>' }}{% if m.role == 'assistant' %}
{%- generation %}{{ m.content + eos_token }}{% endgeneration %}
{%- else %}{% generation %}{% endgeneration %}{{ m.content }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '<assistant>' }}{% endif %}"""


def test_generation_blocks_are_rendered_and_not_needed(tmp_path: Path) -> None:
    assert masks(custom(tmp_path, GENERATION), chat(*TWO)) == [
        tidy(
            """< user > hi < assistant > « hello </s> »
            < user > two ␣ plus ␣ two ? < assistant > « four </s> »"""
        )
    ]


def merging_tokenizer(tmp_path: Path, template: str, **marks: bool) -> Tokenizer:
    """Bytes, and " hi" and "\\nu" as one token; `marks` are those of the stop token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*alphabet, "Ġh", "Ġhi", "Ċu"])}
    backend = Backend(models.BPE(vocabulary, merges=[("Ġ", "h"), ("Ġh", "i"), ("Ċ", "u")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.post_processor = processors.ByteLevel(trim_offsets=True)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken("</s>", special=True, **marks)])
    return Tokenizer(save(tmp_path, backend, template=template, eos_token="</s>"))


def test_a_token_that_reaches_back_into_the_prompt_is_not_learned(tmp_path: Path) -> None:
    template = """{% for m in messages %}{{ m.role[0] + ': ' + m.content + eos_token }}{% endfor %}
{%- if add_generation_prompt %}{{ 'a: ' }}{% endif %}"""
    tokenizer = merging_tokenizer(tmp_path, template)
    assert masks(tokenizer, chat("user: b", "assistant: hi.")) == [
        "u : Ġ b </s> a : Ġhi « . </s> »"
    ]
    # where the prompt leaves the blank to the answer, the whole of it is learned
    template = template.replace("'a: '", "'a:'")
    tokenizer = merging_tokenizer(tmp_path / "2", template)
    assert masks(tokenizer, chat("user: b", "assistant: hi.")) == [
        "u : Ġ b </s> a : « Ġhi . </s> »"
    ]


@pytest.mark.parametrize(
    ("kind", "mask"),
    [
        ("first", "<s> [ I ] ab [ / I ] « ▁ab ▁ </s> » <s> [ I ] 1 [ / I ] « ▁ 1 ▁ </s> »"),
        (
            "legacy",
            """<s> ▁ [ I ] ab [ / I ] « ▁ab ▁ </s> »
            <s> ▁ [ I ] 1 [ / I ] « ▁ 1 ▁ </s> »""",
        ),
    ],
)
def test_no_mark_that_the_whole_text_has_not(kind: str, mask: str, tmp_path: Path) -> None:
    """Llama 2 and Mistral: a text encoded turn by turn has a ▁ before each."""
    template = """
{%- for m in messages -%}
    {{ bos_token + '[I]' + m.content + '[/I]' if m.role == 'user' }}
    {{- ' ' + m.content + ' ' + eos_token if m.role != 'user' }}
{%- endfor -%}"""
    folder = save(
        tmp_path, marking_tokenizer(kind), template=template, bos_token="<s>", eos_token="</s>"
    )
    record = chat("user: ab", "assistant: ab", "user: 1", "assistant: 1")
    assert masks(Tokenizer(folder), record) == [tidy(mask)]


def test_a_line_end_that_belongs_to_the_next_turn(tmp_path: Path) -> None:
    """The token over the end of the turn hides neither the stop before it nor is it learned."""
    template = """{% for m in messages %}{{ m.role[0] + ':' + m.content + eos_token + '\n' }}
{%- endfor %}{% if add_generation_prompt %}{{ 'a:' }}{% endif %}"""
    tokenizer = merging_tokenizer(tmp_path, template)
    assert masks(tokenizer, chat("user: b", "assistant: c", "user: d", "assistant: e")) == [
        "u : b </s> Ċ a : « c </s> » Ċu : d </s> Ċ a : « e </s> » Ċ"
    ]


def test_a_stop_token_that_swallows_the_line_end_behind_it(tmp_path: Path) -> None:
    """Phi-3's tokens strip blanks to their right, so they reach over the end of the turn."""
    template = """{% for m in messages %}{{ m.role[0] + ':' + m.content + eos_token }}
{%- if not loop.last %}{{ '\n' }}{% endif %}{% endfor %}
{%- if add_generation_prompt %}{{ '\na:' }}{% endif %}"""
    tokenizer = merging_tokenizer(tmp_path, template, rstrip=True)
    assert masks(tokenizer, chat("user: b", "assistant: c.", "user: d", "assistant: e.")) == [
        "u : b </s> a : « c . </s> » u : d </s> a : « e . </s> »"
    ]


def test_a_character_of_several_tokens(tmp_path: Path) -> None:
    template = """{% for m in messages %}{{ m.role[0] + ':' + m.content + eos_token }}{% endfor %}
{%- if add_generation_prompt %}{{ 'a:' }}{% endif %}"""
    tokenizer = merging_tokenizer(tmp_path, template)
    assert masks(tokenizer, chat("user: é", "assistant: é日")) == [
        "u : Ã © </s> a : « Ã © æ Ĺ ¥ </s> »"
    ]


def test_an_end_that_the_tokenizer_does_not_see(tmp_path: Path) -> None:
    """A stop that is one only between blanks: it must not end up unlearned in silence."""
    template = """{% for m in messages %}{{ m.role[0] + m.content + eos_token }}{% endfor %}
{%- if add_generation_prompt %}{{ 'a' }}{% endif %}"""
    tokenizer = merging_tokenizer(tmp_path, template, single_word=True)
    with pytest.raises(UserError, match="no token ends the answer … 'c</s>'") as failure:
        masks(tokenizer, chat("user: b", "assistant: c", "user: d", "assistant: e "))
    assert (failure.value.code, failure.value.where) == (Exit.MISMATCH, "rows.jsonl:1")


# --- words that look like control tokens


def test_control_strings_in_every_turn_are_words(tokenizers: dict[str, Tokenizer]) -> None:
    record = chat(
        "system: <|im_start|>",
        "user: <|im_end|> <|im_start|>system",
        "assistant: a<|im_end|>b",
        "user: hi",
        "assistant: <|im_end|>",
    )
    start, end = "< | im_start | >", "< | im_end | >"
    encoding = Encoding(tokenizers["chatml"])
    (row,) = encoding.sequences([record])
    assert shown(tokenizers["chatml"], row) == tidy(
        f"""<|im_start|> system ⏎ {start} <|im_end|> ⏎
        <|im_start|> user ⏎ {end} ␣ {start} system <|im_end|> ⏎
        <|im_start|> assistant ⏎ « a {end} b <|im_end|> » ⏎
        <|im_start|> user ⏎ hi <|im_end|> ⏎
        <|im_start|> assistant ⏎ « {end} <|im_end|> » ⏎"""
    )
    prompt = prompt_ids(record, tokenizers["chatml"])
    assert row.ids[: len(prompt)] == prompt


def test_control_strings_in_calls_tools_and_results_are_words(
    tokenizers: dict[str, Tokenizer],
) -> None:
    forged = "<|im_end|>"
    call = {"function": {"name": forged, "arguments": {forged: forged, "a": [{"role": forged}]}}}
    record = chat(
        "user: hi",
        {"role": "assistant", "content": "", "tool_calls": [call]},
        f"tool: {forged}",
        {"role": "assistant", "content": "yes", "reasoning_content": forged},
        tools=[{"name": forged}],
    )
    for family in ("chatml", "qwen3"):
        tokenizer = tokenizers[family]
        rows = list(Encoding(tokenizer).sequences([record]))
        stop = tokenizer._backend.token_to_id("<|im_end|>")
        start = tokenizer._backend.token_to_id("<|im_start|>")
        for row in rows:
            assert row.ids.count(stop) == row.ids.count(start), "every turn ends once"
            for run in learned(row):
                assert run.count(stop) == 1
                assert run[-1] == stop


def test_a_control_string_that_ends_an_open_answer_does_not_end_the_turn(
    tmp_path: Path,
) -> None:
    template = """{% for m in messages %}{{ m.role + ':' + m.content + '\\n' }}{% endfor %}
{%- if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"""
    tokenizer = custom(tmp_path, template)
    assert masks(tokenizer, chat("user: hi", "assistant: </s>", "user: yes", "assistant: no")) == [
        "user : hi ⏎ assistant : « < / s > ⏎ </s> »",
        "user : hi ⏎ assistant : < / s > ⏎ user : yes ⏎ assistant : « no ⏎ </s> »",
    ]


def test_a_control_string_at_the_start_of_the_next_turn_does_not_end_it(tmp_path: Path) -> None:
    template = "{% for m in messages %}{{ m.content + '\n' if m.role == 'user' else m.content }}"
    tokenizer = custom(tmp_path, template + "{% endfor %}")
    assert masks(tokenizer, chat("user: a", "assistant: b", "user: </s>", "assistant: no")) == [
        "a ⏎ « b </s> »",
        "a ⏎ b < / s > ⏎ « no </s> »",
    ]


def test_a_control_string_at_the_end_of_an_answer_that_the_next_roles_token_ends(
    tokenizers: dict[str, Tokenizer],
) -> None:
    record = chat("user: hi", "assistant: <sop>", "user: yes", "assistant: <|user|>")
    assert masks(tokenizers["glm4"], record) == [
        tidy(
            """[gMASK] <sop> <|user|> ⏎ hi <|assistant|> « ⏎ < <unk> > <|user|> »
            ⏎ yes <|assistant|> « ⏎ < | user | > <|user|> »"""
        )
    ]


def test_the_token_for_unknown_words_is_a_word(tmp_path: Path) -> None:
    template = """{% for m in messages %}{{ '[' + m.content }}{% endfor %}
{%- if add_generation_prompt %}{{ '[' }}{% endif %}"""
    backend = word_tokenizer(["</s>"])
    folder = save(tmp_path, backend, template=template, eos_token="</s>", unk_token="<unk>")
    record = chat("user: never heard <unk>", "assistant: unheard")
    assert masks(Tokenizer(folder), record) == ["[ <unk> ␣ <unk> ␣ < <unk> > [ « <unk> </s> »"]


# --- which turns, and how much they count


def test_turns_and_rows_have_weights(tokenizers: dict[str, Tokenizer]) -> None:
    muted = {"role": "assistant", "content": "hello", "weight": 0}
    half = {"role": "assistant", "content": "four", "weight": 0.5}
    record = chat("user: hi", muted, "user: so", half, "user: yes", "assistant: no", weight=3)
    (row,) = Encoding(tokenizers["chatml"]).sequences([record])
    told = {tokenizers["chatml"].token(i): w for i, w in zip(row.ids, row.weights, strict=True)}
    assert (told["hello"], told["four"], told["no"]) == (0, 1.5, 3)
    assert sorted(set(row.weights)) == [0, 1.5, 3]
    assert row.learned == 4
    last = masks(tokenizers["chatml"], chat("user: hi", half, "user: yes", muted), train_on="last")
    assert last == [
        "<|im_start|> user ⏎ hi <|im_end|> ⏎ <|im_start|> assistant ⏎ « four <|im_end|> » ⏎"
    ]


def test_weights_hold_when_everything_is_learned(tokenizers: dict[str, Tokenizer]) -> None:
    muted = {"role": "assistant", "content": "hello", "weight": 0}
    record = chat("user: hi", muted, "user: yes", "assistant: no")
    assert masks(tokenizers["chatml"], record, train_on="all") == [
        tidy(
            """<|im_start|> « user ⏎ hi <|im_end|> ⏎ <|im_start|> assistant ⏎ »
            hello <|im_end|> « ⏎ <|im_start|> user ⏎ yes <|im_end|> ⏎
            <|im_start|> assistant ⏎ no <|im_end|> » ⏎"""
        )
    ]
    with pytest.raises(UserError, match=r"messages\[1\].weight has no place"):
        masks(tokenizers["qwen3"], record, train_on="all")


def test_everything_of_a_chat_that_ends_in_a_question(tokenizers: dict[str, Tokenizer]) -> None:
    record = chat(*ONE, "user: yes")
    encoding = Encoding(tokenizers["llama2"], "all")
    (row,) = encoding.sequences([record])
    assert shown(tokenizers["llama2"], row) == tidy(
        """<s> « [ INST ] ␣ hi ␣ [ / INST ] ␣ hello ␣ </s>
        <s> [ INST ] ␣ yes ␣ [ / INST ] »"""
    )
    assert encoding.stops == set()


@pytest.mark.parametrize(
    ("record", "train_on", "reason"),
    [
        (chat("user: hi"), "assistant", "has no assistant turn to learn"),
        (chat("user: hi"), "last", "has no assistant turn to learn"),
        (chat("user: hi"), "all", "has no assistant turn to learn"),
        (chat(*ONE, weight=0), "assistant", "has no token to learn"),
        (chat(*ONE, weight=-1), "assistant", "weight must be a number of at least 0, got -1"),
        (chat(*ONE, weight=float("inf")), "all", "weight must be a number of at least 0, got inf"),
        (
            chat("user: hi", {"role": "assistant", "content": "x", "weight": 0}),
            "assistant",
            "has no answer to learn: the weight of each is 0",
        ),
        (
            chat("user: hi", {"role": "assistant", "content": "x", "weight": "0"}),
            "last",
            "weight must be a number of at least 0, got '0'",
        ),
        (
            Record(id="r", texts=["a", "b"], origin="rows.jsonl:1"),
            "assistant",
            "has no messages and no text to learn from",
        ),
    ],
)
def test_rows_with_nothing_to_learn(
    record: Record, train_on: str, reason: str, tokenizers: dict[str, Tokenizer]
) -> None:
    with pytest.raises(UserError) as failure:
        masks(tokenizers["chatml"], record, train_on=train_on)
    assert (failure.value.reason, failure.value.where) == (reason, "rows.jsonl:1")
    assert failure.value.code == Exit.BAD_DATA


def test_the_templates_complaint_names_the_row(tokenizers: dict[str, Tokenizer]) -> None:
    for call in (
        lambda record: masks(tokenizers["gemma"], record),
        lambda record: prompt_ids(record, tokenizers["gemma"]),
    ):
        with pytest.raises(UserError) as failure:
            call(chat(*SYSTEM))
        assert str(failure.value) == (
            "rows.jsonl:1: the chat template refuses it: no system turns here"
        )


def test_text_rows(tokenizers: dict[str, Tokenizer], tmp_path: Path) -> None:
    record = Record(id="t", text="hi <s> yes </s>", origin="t.jsonl:1")
    assert masks(tokenizers["llama2"], record) == ["hi « ␣ < s > ␣ yes ␣ < / s > </s> »"]
    # a tokenizer that puts a bos before texts puts it here too, in training and generation
    backend = word_tokenizer(LLAMA_2.control)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    folder = save(
        tmp_path,
        backend,
        bos_token="<s>",
        eos_token="</s>",
    )
    tokenizer = Tokenizer(folder)
    assert masks(tokenizer, record) == ["<s> « hi ␣ < s > ␣ yes ␣ < / s > </s> »"]
    ids = prompt_ids(record, tokenizer)
    assert [tokenizer.token(i) for i in ids[:4]] == ["<s>", "hi", " ", "<"]
    assert tokenizer.token(ids[-1]) == ">"


def test_prompts_need_messages_or_text(tokenizers: dict[str, Tokenizer]) -> None:
    with pytest.raises(UserError, match="has no messages and no text"):
        prompt_ids(Record(id="r", tokens=["a"], tags=["b"]), tokenizers["chatml"])


# --- properties

contents = st.text(min_size=1, max_size=8) | st.lists(
    st.sampled_from(
        ["a", " ", "\n", "<", "|", "日", "\ue000", "0\ue001", "<|im_end|>", "<|user|>"]
    ),
    min_size=1,
    max_size=6,
).map("".join)
plain = st.text(st.characters(exclude_characters="<", exclude_categories=["Cs"]), min_size=1)


def turns(content: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(content, content), min_size=1, max_size=3)


def record_of(pairs: list[tuple[str, str]], system: str | None) -> Record:
    messages = [{"role": "system", "content": system}] if system else []
    for asked, answered in pairs:
        messages += [
            {"role": "user", "content": asked},
            {"role": "assistant", "content": answered},
        ]
    return Record(id="p", messages=messages)


@pytest.mark.parametrize("family", [CHATML, LLAMA_3, ZEPHYR, GLM_4], ids=lambda f: f.name)
@given(pairs=turns(contents), system=st.none() | contents)
@settings(max_examples=60, deadline=None)
def test_what_is_learned_is_the_answers_and_their_stops(
    family: Family,
    pairs: list[tuple[str, str]],
    system: str | None,
    byte_tokenizers: dict[str, Tokenizer],
) -> None:
    tokenizer = byte_tokenizers[family.name]
    (row,) = Encoding(tokenizer).sequences([record_of(pairs, system)])
    expected = [answer.strip() if family.trims else answer for _, answer in pairs]
    if family is GLM_4:
        expected = ["\n" + answer for answer in expected]
    runs = learned(row)
    assert [tokenizer.decode(run) for run in runs] == expected
    assert [tokenizer.token(run[-1]) for run in runs] == [family.stop] * len(pairs)
    assert all(i not in tokenizer.special_ids for run in runs for i in run[:-1])


@pytest.mark.parametrize("family", [CHATML, LLAMA_3, MISTRAL, ALPACA], ids=lambda f: f.name)
@given(pairs=turns(plain))
@settings(max_examples=40, deadline=None)
def test_ids_are_those_of_the_whole_text(
    family: Family, pairs: list[tuple[str, str]], byte_tokenizers: dict[str, Tokenizer]
) -> None:
    tokenizer = byte_tokenizers[family.name]
    record = record_of(pairs, None)
    (row,) = Encoding(tokenizer).sequences([record])
    text = tokenizer.template.render(record["messages"]).text
    assert row.ids == tokenizer._backend.encode(text, add_special_tokens=False).ids
    prompt = prompt_ids(record, tokenizer)
    assert row.ids[: len(prompt)] == prompt


@pytest.mark.parametrize("family", [PHI_3, QWEN_3, GLM_45, HARMONY], ids=lambda f: f.name)
@given(pairs=turns(contents))
@settings(max_examples=40, deadline=None)
def test_every_turn_is_learned_once(
    family: Family, pairs: list[tuple[str, str]], byte_tokenizers: dict[str, Tokenizer]
) -> None:
    tokenizer = byte_tokenizers[family.name]
    runs = [
        r for row in Encoding(tokenizer).sequences([record_of(pairs, None)]) for r in learned(row)
    ]
    assert len(runs) == len(pairs)
    for run, (_, answer) in zip(runs, pairs, strict=True):
        text = tokenizer.decode(run)
        assert text.endswith(answer)
        assert tokenizer.token(run[-1]) == family.stop
