"""templates: messages in, text out; control strings in a row stay the row's words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructune.errors import Exit, UserError
from instructune.templating.templates import ChatTemplate, Rendered, built_in, open_template

CONTROL = ("<|im_start|>", "<|im_end|>", "<|im_end|>x", "</s>")
CHATML = ChatTemplate(open_template("chatml"), {}, CONTROL)


def template(source: str, *control: str, **tokens: str) -> ChatTemplate:
    return ChatTemplate(source, tokens, control or CONTROL)


def user(content: str, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content} | more


def literal(rendered: Rendered) -> list[str]:
    return [rendered.text[start:end] for start, end in rendered.literal]


CONTENT = "{% for m in messages %}{{ m.content }}{% endfor %}"


# --- what a template is given


def test_what_a_template_sees() -> None:
    source = "{{ [messages, tools, documents, add_generation_prompt, bos_token] | tojson }}"
    seen = template(source, bos_token="<s>").render([user("hi")], add_generation_prompt=True)
    assert json.loads(seen.text) == [[user("hi")], None, None, True, "<s>"]
    assert seen.literal == ()
    for tools in ([], None):
        assert json.loads(template(source, bos_token="").render([], tools=tools).text)[1] is None


def test_unset_tokens_and_unknown_variables_are_undefined() -> None:
    source = "{{ bos_token is defined }}{{ enable_thinking is defined }}"
    assert template(source).render([]).text == "FalseFalse"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ('{"b": 1, "a": [1.50, true]}', {"b": 1, "a": [1.5, True]}),
        ({"b": 1}, {"b": 1}),
        ("{broken", "{broken"),
        ("[1]", "[1]"),
        ('{"a": NaN}', '{"a": NaN}'),
        ('{"a": 1, "a": 2}', '{"a": 1, "a": 2}'),
        ("", ""),
    ],
)
def test_arguments_are_objects(given: Any, seen: Any) -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": given}}
    message = {"role": "assistant", "content": None, "tool_calls": [call, call]}
    before = json.dumps(message)
    source = "{{ messages[0].tool_calls | map(attribute='function.arguments') | list | tojson }}"
    assert json.loads(template(source).render([message]).text) == [seen, seen]
    assert json.dumps(message) == before


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ arguments }}", '{"a":"é</s>"}'),
        ("{{ '<' + arguments + '>' }}", '<{"a":"é</s>"}>'),
        ("{{ arguments ~ 1 }}", '{"a":"é</s>"}1'),
        ("{{ arguments | tojson }}", '{"a": "é</s>"}'),
        ("{{ arguments | string | length > 5 }}", "True"),
        ("{{ arguments is mapping and arguments is not string }}", "True"),
        ("{% for k, v in arguments.items() %}{{ k }}={{ v }}{% endfor %}", "a=é</s>"),
        ("{{ arguments.a + arguments['a'] }}", "é</s>é</s>"),
        ("{{ arguments._text or 1 }}", None),
    ],
)
@pytest.mark.parametrize("given", ['{"a":"é</s>"}', {"a": "é</s>"}])
def test_arguments_are_text_where_a_template_takes_them_for_it(
    source: str, text: str | None, given: Any
) -> None:
    call = {"function": {"name": "f", "arguments": given}}
    message = {"role": "assistant", "content": "", "tool_calls": [call]}
    chat = template("{% set arguments = messages[0].tool_calls[0].function.arguments %}" + source)
    if text is None:
        with pytest.raises(UserError, match="'_text' of a _Arguments is not for chat templates"):
            chat.render([message])
        return
    rendered = chat.render([message])
    assert rendered.text == (text if isinstance(given, str) else text.replace('":"', '": "'))
    assert literal(rendered) == ["</s>"] * text.count("</s>")


def test_calls_without_arguments() -> None:
    call = {"function": {"name": "f"}}
    text = CHATML.render([{"role": "assistant", "content": "", "tool_calls": [call]}]).text
    assert text == '<|im_start|>assistant\n<tool_call>\n{"name": "f"}\n</tool_call><|im_end|>\n'


@pytest.mark.parametrize("name", ["reasoning_content", "thinking", "reasoning"])
def test_reasoning_goes_by_the_names_that_templates_know(name: str) -> None:
    """As transformers does it; a row's own `thinking` stays."""
    source = "{{ [messages[0].reasoning_content, messages[0].thinking] | join('|') }}"
    assert template(source).render([user("", **{name: "so"})]).text == "so|so"
    both = user("", reasoning_content="so", thinking="else")
    assert template(source).render([both]).text == "so|else"


def test_the_complaint_and_the_failure_of_a_template() -> None:
    with pytest.raises(UserError) as failure:
        template("{{ raise_exception('no ' + messages[0].role) }}").render([user("")])
    assert failure.value.reason == "the chat template refuses it: no user"
    assert failure.value.code == Exit.BAD_DATA
    with pytest.raises(UserError) as failure:
        template("\n\n{% if %}")
    assert failure.value.reason.startswith("the chat template has a fault in line 3: ")
    assert failure.value.code == Exit.MISMATCH


# --- words that look like control tokens


def test_control_strings_are_marked() -> None:
    rendered = CHATML.render([user("a<|im_end|>b</s>"), user("<|im_start|>")])
    assert rendered.text == (
        "<|im_start|>user\na<|im_end|>b</s><|im_end|>\n<|im_start|>user\n<|im_start|><|im_end|>\n"
    )
    assert rendered.literal == ((18, 28), (29, 33), (61, 73))
    assert literal(rendered) == ["<|im_end|>", "</s>", "<|im_start|>"]


def test_the_longest_control_string_counts() -> None:
    rendered = template(CONTENT).render([user("<|im_end|>x<|im_end|>")])
    assert rendered.literal == ((0, 11), (11, 21))


def test_wherever_a_row_may_put_them() -> None:
    forged = "<|im_end|>"
    arguments = {forged: [forged, {"role": forged}]}
    message = {
        "role": "assistant",
        "content": forged,
        "reasoning_content": forged,
        "name": forged,
        "tool_calls": [{"function": {"name": forged, "arguments": arguments}}],
    }
    source = "{{ messages | tojson }}{{ tools | tojson }}</s>"
    tools = [{"function": {"description": forged, "properties": {forged: {}}}}]
    rendered = template(source).render([message], tools=tools)
    assert rendered.text.count(forged) == len(rendered.literal)
    assert set(literal(rendered)) == {forged}
    assert rendered.text.endswith("</s>")
    # and once more as the text that the template wrote from it
    assert rendered.text.startswith('[{"thinking": "<|im_end|>", "role": "assistant", ')


def test_roles_are_never_hidden() -> None:
    rendered = template("{{ messages[0].role == 'user' }}", "user").render([user("user")])
    assert rendered.text == "True"


def test_what_a_template_does_to_a_message_does_not_shift_the_marks() -> None:
    rendered = template("{{ (messages[0].content * 2).strip() | upper }}{{ ' ' }}").render(
        [user(" é</s>\n")]
    )
    assert rendered.text == "É</s>\n É</s> "
    assert rendered.literal == ((1, 5), (8, 12))
    # dropped, as thoughts of earlier turns are
    dropped = template("{{ messages[1].content }}").render([user("</s>"), user("<|im_end|>")])
    assert dropped == Rendered("<|im_end|>", ((0, 10),))


@pytest.mark.parametrize(
    "content", ["\ue000", "\ue0000\ue001", "\ue001", "\\ue0000\\ue001", "\ue000</s>\ue0001\ue001"]
)
def test_the_characters_of_placeholders_in_a_row(content: str) -> None:
    for source in (CONTENT, "{{ messages[0].content | tojson }}"):
        rendered = template(source).render([user(content)])
        text = rendered.text if source == CONTENT else json.loads(rendered.text)
        assert text == content
        assert ("</s>" in literal(rendered)) == ("</s>" in content)


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages[0].content[:2] }}",
        "{{ messages[0].content[::-1] }}",
        "{{ messages[0].content | list | join('-') }}",
        "{{ messages[0].content | tojson(ensure_ascii=true) }}",
        "\ue0007\ue001{{ messages[0].content }}",
    ],
)
def test_a_template_that_takes_a_placeholder_apart_is_refused(source: str) -> None:
    with pytest.raises(UserError, match=r"takes a message apart .*'</s>'"):
        template(source).render([user("</s>")])
    assert "a" in template(source).render([user("aaa")]).text


def test_plain_texts_are_marked_as_they_are() -> None:
    assert CHATML.literal("a</s>") == Rendered("a</s>", ((1, 5),))
    assert CHATML.literal("a") == Rendered("a")


pieces = st.sampled_from(
    ["a", " ", "0", "<", "</s>", "<|im_end|>", "x", *"\ue000\ue001", r"\ue000"]
)


@given(st.lists(pieces, max_size=10).map("".join), st.lists(pieces, max_size=10).map("".join))
@settings(max_examples=200, deadline=None)
def test_every_word_comes_out_as_it_went_in(first: str, second: str) -> None:
    rendered = CHATML.render([user(first), user(second)])
    start, end = "<|im_start|>user\n", "<|im_end|>\n"
    assert rendered.text == start + first + end + start + second + end
    shift = len(start + first + end + start)
    expected = [
        *((a + len(start), b + len(start)) for a, b in CHATML.literal(first).literal),
        *((a + shift, b + shift) for a, b in CHATML.literal(second).literal),
    ]
    assert list(rendered.literal) == expected


# --- names and fingerprints


def test_the_fingerprint_is_of_source_and_tokens() -> None:
    prints = [
        template("a").fingerprint,
        template("b").fingerprint,
        template("a", bos_token="<s>").fingerprint,
    ]
    assert len(set(prints)) == 3
    assert template("a", "</s>", "x").fingerprint == prints[0]


def test_built_in_templates_and_files(tmp_path: Path) -> None:
    assert built_in() == ["alpaca", "chatml", "vicuna"]
    path = tmp_path / "own.jinja"
    path.write_text("é", encoding="utf-8")
    assert open_template(str(path)) == "é"
    path.write_bytes(b"\xff")
    with pytest.raises(UserError, match="not UTF-8") as failure:
        open_template(str(path))
    assert failure.value.where == str(path)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("chatlm", "name a file, or did you mean 'chatml'?"),
        ("q", "name a file, or choose from alpaca, chatml, vicuna"),
    ],
)
def test_an_unknown_name(name: str, hint: str) -> None:
    with pytest.raises(UserError) as failure:
        open_template(name)
    assert (failure.value.hint, failure.value.where) == (hint, "--template")
    assert failure.value.code == Exit.NO_INPUT


CHAT = [
    {"role": "system", "content": "be brief"},
    user("hi"),
    {"role": "assistant", "content": "hello"},
    user("two?"),
]
BUILT_IN = {
    "chatml": (
        "<|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n"
        "<|im_start|>assistant\nhello<|im_end|>\n<|im_start|>user\ntwo?<|im_end|>\n"
        "<|im_start|>assistant\n"
    ),
    "vicuna": "<s>be brief USER: hi ASSISTANT: hello</s>USER: two? ASSISTANT:",
    "alpaca": (
        "<s>be brief\n\n### Instruction:\nhi\n\n### Response:\nhello</s>\n\n"
        "### Instruction:\ntwo?\n\n### Response:\n"
    ),
}


@pytest.mark.parametrize("name", built_in())
def test_built_in_layouts(name: str) -> None:
    tokens = {"bos_token": "<s>", "eos_token": "</s>"}
    chat = ChatTemplate(open_template(name), tokens)
    assert chat.render(CHAT, add_generation_prompt=True).text == BUILT_IN[name]
    without = ChatTemplate(open_template(name), {"eos_token": "</s>"})
    expected = BUILT_IN[name].removeprefix("<s>")
    assert without.render(CHAT, add_generation_prompt=True).text == expected
