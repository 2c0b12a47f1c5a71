"""Model families in small: how each lays out a chat, and a tokenizer whose tokens are words.

The templates are ours; they follow the layout of the family they are named after. A token is a
word, a blank, a line end or a punctuation mark, so masks can be written down by hand:
`learned « hello </s> » context`, with `␣` for a blank and `⏎` for a line end.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from instructune.records import Record
from instructune.templating.templates import open_template
from instructune.tokenizer import Tokenizer
from instructune.tokens import TokenRow

WORDS = """
    user assistant system tool tools model INST SYS USER ASSISTANT Instruction Response Tool
    hi hello be brief two plus four no yes so sum name arguments city Rome sunny weather
    final analysis im_end im_start s a b
"""


@dataclass(frozen=True)
class Family:
    """A layout: the template, its control tokens, and what the tokenizer's files say of them."""

    name: str
    template: str
    control: tuple[str, ...]
    eos: str
    stop: str
    bos: str | None = None
    pad: str | None = None
    ordinary: tuple[str, ...] = ()  # added tokens that are not special
    generation_stops: tuple[str, ...] = ()
    system: bool = True
    trims: bool = False


CHATML = Family(
    "chatml",
    open_template("chatml"),
    ("<|im_start|>", "<|im_end|>", "<|endoftext|>"),
    eos="<|im_end|>",
    stop="<|im_end|>",
    pad="<|endoftext|>",
)
LLAMA_2 = Family(
    "llama2",
    """
{%- set ns = namespace(system='') -%}
{%- for message in messages -%}
    {%- if message.role == 'system' and loop.first -%}
        {%- set ns.system = '<<SYS>>\\n' + message.content.strip() + '\\n<</SYS>>\\n\\n' -%}
    {%- elif message.role == 'user' -%}
        {{ bos_token + '[INST] ' + ns.system + message.content.strip() + ' [/INST]' }}
        {%- set ns.system = '' -%}
    {%- elif message.role == 'assistant' -%}
        {{ ' ' + message.content.strip() + ' ' + eos_token }}
    {%- else -%}
        {{ raise_exception('only user and assistant turns, not ' + message.role) }}
    {%- endif -%}
{%- endfor -%}""",
    ("<unk>", "<s>", "</s>"),
    bos="<s>",
    eos="</s>",
    stop="</s>",
    trims=True,
)
LLAMA_3 = Family(
    "llama3",
    """
{{- bos_token -}}
{%- for message in messages -%}
    {{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}
    {{- message.content | trim + '<|eot_id|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif -%}""",
    (
        "<|begin_of_text|>",
        "<|end_of_text|>",
        "<|start_header_id|>",
        "<|end_header_id|>",
        "<|eot_id|>",
    ),
    bos="<|begin_of_text|>",
    eos="<|end_of_text|>",
    stop="<|eot_id|>",
    generation_stops=("<|end_of_text|>", "<|eot_id|>"),
    trims=True,
)
GEMMA = Family(
    "gemma",
    """
{{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}
        {{ raise_exception('no system turns here') }}
    {%- endif -%}
    {%- if (message.role == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception('user and assistant must take turns') }}
    {%- endif -%}
    {%- set role = 'model' if message.role == 'assistant' else message.role -%}
    {{ '<start_of_turn>' + role + '\\n' + message.content | trim + '<end_of_turn>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}""",
    ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>"),
    bos="<bos>",
    eos="<eos>",
    pad="<pad>",
    stop="<end_of_turn>",
    generation_stops=("<eos>", "<end_of_turn>"),
    system=False,
    trims=True,
)
MISTRAL = Family(
    "mistral",
    """
{{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'user' -%}
        {{ '[INST] ' + message.content + '[/INST]' }}
    {%- elif message.role == 'assistant' -%}
        {{ ' ' + message.content | trim + eos_token }}
    {%- else -%}
        {{ raise_exception('only user and assistant turns') }}
    {%- endif -%}
{%- endfor -%}""",
    ("<unk>", "<s>", "</s>", "[INST]", "[/INST]"),
    bos="<s>",
    eos="</s>",
    stop="</s>",
    system=False,
    trims=True,
)
PHI_3 = Family(
    "phi3",
    """
{%- for message in messages -%}
    {{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}
{%- endfor -%}
{{ '<|assistant|>\\n' if add_generation_prompt else eos_token }}""",
    ("<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"),
    eos="<|endoftext|>",
    stop="<|end|>",
)
QWEN_3 = Family(
    "qwen3",
    """
{%- if tools -%}
    {{ '<|im_start|>system\\ntools:' }}
    {%- for tool in tools -%}{{ '\\n' + tool | tojson }}{%- endfor -%}
    {{ '<|im_end|>\\n' }}
{%- endif -%}
{%- set ns = namespace(asked=0) -%}
{%- for message in messages -%}
    {%- if message.role == 'user' -%}{%- set ns.asked = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
    {%- if message.role == 'tool' -%}
        {%- if messages[loop.index0 - 1].role != 'tool' -%}{{ '<|im_start|>user' }}{%- endif -%}
        {{ '\\n<tool_response>\\n' + message.content + '\\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}
            {{ '<|im_end|>\\n' }}
        {%- endif -%}
    {%- else -%}
        {{ '<|im_start|>' + message.role + '\\n' }}
        {%- set thought = message.reasoning_content or '' -%}
        {%- if message.role == 'assistant' and loop.index0 > ns.asked and (loop.last or thought) -%}
            {{ '<think>\\n' + thought.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif -%}
        {{ message.content or '' }}
        {%- for call in message.tool_calls or [] -%}
            {{ '\\n' if message.content or not loop.first }}
            {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson + '}\\n</tool_call>' }}
        {%- endfor -%}
        {{ '<|im_end|>\\n' }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}""",
    ("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    eos="<|im_end|>",
    stop="<|im_end|>",
    pad="<|endoftext|>",
    ordinary=(
        "<think>",
        "</think>",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
    ),
)
DEEPSEEK = Family(
    "deepseek",
    """
{{- bos_token -}}
{%- for message in messages -%}
    {%- if message.role == 'system' -%}{{ message.content }}
    {%- elif message.role == 'user' -%}{{ '<｜User｜>' + message.content }}
    {%- else -%}{{ '<｜Assistant｜>' + message.content + eos_token }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<｜Assistant｜>' }}{%- endif -%}""",
    ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
    bos="<｜begin▁of▁sentence｜>",
    eos="<｜end▁of▁sentence｜>",
    stop="<｜end▁of▁sentence｜>",
)
ZEPHYR = Family(
    "zephyr",
    """{% for message in messages %}
{{ '<|' + message.role + '|>\\n' + message.content + eos_token }}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}""",
    ("<unk>", "<s>", "</s>"),
    bos="<s>",
    eos="</s>",
    stop="</s>",
    pad="</s>",
)
GLM_4 = Family(
    "glm4",
    """
{{- '[gMASK]<sop>' -}}
{%- for message in messages -%}
    {%- if message.role == 'tool' -%}{{ '<|observation|>\\n' + message.content }}
    {%- elif message.tool_calls -%}
        {%- for call in message.tool_calls -%}
            {{ '<|assistant|>' + call.function.name + '\\n' + call.function.arguments | tojson }}
        {%- endfor -%}
    {%- else -%}{{ '<|' + message.role + '|>\\n' + message.content }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}""",
    (
        "<|endoftext|>",
        "[gMASK]",
        "<sop>",
        "<|system|>",
        "<|user|>",
        "<|assistant|>",
        "<|observation|>",
    ),
    bos="[gMASK]",
    eos="<|endoftext|>",
    stop="<|user|>",
)
GLM_45 = Family(
    "glm45",
    """
{{- '[gMASK]<sop>' -}}
{%- set ns = namespace(asked=0) -%}
{%- for message in messages -%}
    {%- if message.role == 'user' -%}{%- set ns.asked = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
    {{ '<|' + message.role + '|>\\n' }}
    {%- if message.role == 'assistant' -%}
        {%- set thought = message.reasoning_content if loop.index0 > ns.asked -%}
        {{ '<think>' + (thought or '') + '</think>\\n' }}
    {%- endif -%}
    {{ message.content }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}""",
    ("<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>"),
    bos="[gMASK]",
    eos="<|endoftext|>",
    stop="<|user|>",
    ordinary=("<think>", "</think>"),
)
VICUNA = Family(
    "vicuna",
    open_template("vicuna"),
    ("<unk>", "<s>", "</s>"),
    bos="<s>",
    eos="</s>",
    stop="</s>",
    pad="<unk>",
)
ALPACA = Family(
    "alpaca",
    open_template("alpaca"),
    ("<unk>", "<s>", "</s>"),
    bos="<s>",
    eos="</s>",
    stop="</s>",
)
HARMONY = Family(
    "harmony",
    """
{%- for message in messages -%}
    {{ '<|start|>' + message.role }}
    {%- if message.role == 'assistant' -%}
        {%- if message.thinking and loop.last -%}
            {{ '<|channel|>analysis<|message|>' + message.thinking + '<|end|><|start|>assistant' }}
        {%- endif -%}
        {{ '<|channel|>final' }}
    {%- endif -%}
    {{ '<|message|>' + message.content }}
    {{- '<|return|>' if loop.last and message.role == 'assistant' else '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|start|>assistant' }}{%- endif -%}""",
    (
        "<|startoftext|>",
        "<|endoftext|>",
        "<|return|>",
        "<|channel|>",
        "<|start|>",
        "<|end|>",
        "<|message|>",
    ),
    bos="<|startoftext|>",
    eos="<|return|>",
    stop="<|return|>",
    pad="<|endoftext|>",
)

FAMILIES = {
    family.name: family
    for family in (
        CHATML,
        LLAMA_2,
        LLAMA_3,
        GEMMA,
        MISTRAL,
        PHI_3,
        QWEN_3,
        DEEPSEEK,
        ZEPHYR,
        GLM_4,
        GLM_45,
        VICUNA,
        ALPACA,
        HARMONY,
    )
}


def word_tokenizer(control: Iterable[str], ordinary: Iterable[str] = ()) -> Backend:
    """A token a word, blank, line end or mark; control tokens first, so their ids are small."""
    control = list(dict.fromkeys(control))
    texts = [*control, "<unk>", *string.punctuation, " ", "\n", *string.digits, *WORDS.split()]
    vocabulary = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    backend = Backend(models.WordLevel(vocabulary, unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n|[^\S\n]|\w+|[^\w\s]"), "isolated")
    backend.decoder = decoders.Fuse()
    backend.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in control])
    backend.add_tokens([AddedToken(t, special=False, normalized=False) for t in ordinary])
    return backend


def byte_tokenizer(control: Iterable[str], ordinary: Iterable[str] = ()) -> Backend:
    """A token a byte, so that characters beyond ASCII take several."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Backend(models.BPE({char: i for i, char in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in control])
    backend.add_tokens([AddedToken(t, special=False, normalized=False) for t in ordinary])
    return backend


def marking_tokenizer(kind: str) -> Backend:
    """A small Llama-like tokenizer that marks words by ▁: the first word, each or none."""
    pieces = ["<unk>", "<s>", "</s>", *string.ascii_letters, *"[]<>/1:\n", "▁", "ab", "▁ab"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    merges = [("a", "b"), ("▁", "ab")]
    backend = Backend(models.BPE(vocabulary, merges=merges, unk_token="<unk>"))
    if kind == "legacy":
        backend.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=kind, split=False)
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse()])
    backend.add_special_tokens(["<s>", "</s>"])
    return backend


def save(
    folder: Path,
    backend: Backend,
    *,
    template: str | None = None,
    stops: Iterable[str] = (),
    **config: Any,
) -> Path:
    """Write a tokenizer's files as a model's folder holds them; `config` names its tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    backend.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    if ids := [backend.token_to_id(stop) for stop in stops]:
        (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids}))
    return folder


def build(family: Family, folder: Path, make: Callable[..., Backend] = word_tokenizer) -> Tokenizer:
    """The family's tokenizer, read from files."""
    named = {"bos_token": family.bos, "eos_token": family.eos, "pad_token": family.pad}
    if "<unk>" in family.control:
        named["unk_token"] = "<unk>"
    save(
        folder,
        make(family.control, family.ordinary),
        template=family.template,
        stops=family.generation_stops,
        **{name: token for name, token in named.items() if token},
    )
    return Tokenizer(folder)


def chat(*turns: str | dict[str, Any], **fields: Any) -> Record:
    """A record of `"role: content"` turns; a turn may also be a message as it is."""
    messages = [turn if isinstance(turn, dict) else _turn(turn) for turn in turns]
    return Record(id="r", messages=messages, origin="rows.jsonl:1", **fields)


def _turn(text: str) -> dict[str, str]:
    role, content = text.split(": ", 1)
    return {"role": role, "content": content}


def shown(tokenizer: Tokenizer, row: TokenRow) -> str:
    """A sequence in the notation of this module."""
    pieces, open_ = [], False
    for i, weight in zip(row.ids, row.weights, strict=True):
        if (weight > 0) != open_:
            pieces.append("»" if open_ else "«")
            open_ = not open_
        pieces.append(tokenizer.token(i).replace(" ", "␣").replace("\n", "⏎"))
    return " ".join(pieces + ["»"] * open_)


def tidy(mask: str) -> str:
    """A mask written over several lines, on one."""
    return re.sub(r"\s+", " ", mask).strip()


def all_learned(mask: str) -> str:
    """The mask with everything learned but the first token and what follows the last answer."""
    before, mark, after = mask.rpartition("»")
    first, rest = before.replace("«", "").replace("»", "").split(maxsplit=1)
    return tidy(f"{first} « {rest} {mark} {after}")


def last_learned(mask: str) -> str:
    """The mask with only the last answer learned."""
    before, mark, after = mask.rpartition("«")
    return tidy(f"{before.replace('«', '').replace('»', '')} {mark} {after}")
