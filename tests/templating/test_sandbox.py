"""sandbox: hostile templates end in an error, soon; honest ones render as in transformers."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from instructune.errors import Exit, UserError
from instructune.templating import charges, sandbox
from instructune.templating.sandbox import Program

CHAT = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def run(source: str, **variables: Any) -> str:
    return Program(source).run(messages=CHAT, **variables)


# --- ways out of a sandbox

ESCAPES = {
    "class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "item": "{{ ''['__class__']['__base__'] }}",
    "dict": "{{ messages.__class__.__base__.__subclasses__() }}",
    "method": "{{ messages.copy.__self__.__class__() }}",
    "function": "{{ raise_exception.__globals__['json'] }}",
    "lambda": "{{ namespace.__globals__ }}",
    "code": "{{ range.__code__.co_consts }}",
    "closure": "{{ 'a'.strip.__closure__[0].cell_contents }}",
    "joiner": "{{ joiner().__init__.__globals__['os'] }}",
    "cycler": "{{ cycler('a').__init__.__globals__.os.popen('true').read() }}",
    "lipsum": "{{ lipsum.__globals__['os'].popen('true').read() }}",
    "self": "{{ self.__init__.__globals__ }}",
    "context": "{{ self._TemplateReference__context.environment.globals }}",
    "macro": "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "loop": "{% for x in [1] %}{{ loop.__class__.__init__.__globals__ }}{% endfor %}",
    "undefined": "{{ nothing.__class__.__init__.__globals__ }}",
    "generator": "{% set g = messages | map('length') %}{{ g.gi_frame.f_back.f_globals }}",
    # CVE-2019-10906, CVE-2024-56326, CVE-2025-27516: format and format_map, also by reference
    "format": "{{ '{0.__class__.__init__.__globals__}'.format(raise_exception) }}",
    "format_map": "{{ '{x.__class__}'.format_map({'x': 1}) }}",
    "format by name": "{{ '{0.__class__}'['format'](1) }}",
    "format by reference": "{% set f = '{0.__class__}'.format %}{{ f(1) }}",
    "format by map": "{{ ['{0.__class__}'] | map(attribute='format') | list }}",
    "format by attr": "{{ '{0.__class__}' | attr('format') }}",
    "attr": "{{ messages | attr('__class__') }}",
    "map attr": "{{ [messages] | map('attr', '__class__') | list }}",
    "map attribute": "{{ [messages] | map(attribute='__class__') | map('string') | join }}",
    "percent": "{{ '%s' % messages }}",
    "format filter": "{{ '%c' | format(65) }}",
    "xmlattr": "{{ {'a onclick=x': 1} | xmlattr }}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "extends": "{% extends messages[0].content %}",
    "change a list": "{{ messages.append(1) }}",
    "change a dict": "{{ messages[0].update(role='x') }}",
    "bytes": "{{ 'a'.encode() }}",
    "number": "{{ (1).to_bytes(9, 'big') }}",
    "random": "{{ messages | random }}",
}


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES)
def test_no_way_out(source: str) -> None:
    before = json.dumps(CHAT)
    with pytest.raises(UserError) as failure:
        run(source)
    assert failure.value.code == Exit.MISMATCH
    assert failure.value.reason.startswith("the chat template ")
    assert json.dumps(CHAT) == before


def test_nothing_of_the_process_shows_through() -> None:
    """What a template can name without an error is what it is meant to see."""
    names = "{{ [lipsum, os, config, request, get_flashed_messages, environment, context] }}"
    assert run(names) == "[" + ", ".join(["Undefined"] * 7) + "]"


# --- bombs

GROW = "{%% set ns = namespace(x='aaaaaaaa') %%}{%% for i in range(60) %%}%s{%% endfor %%}"
BOMBS = {
    "nested loops": """{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}
        {%- endfor %}""",
    "silent loops": """{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}
        {%- endfor %}""",
    "long range": "{% for i in range(10 ** 9) %}{% endfor %}",
    "loop over text": "{% for c in 'a' * 9999999 %}{% for d in 'a' * 9 %}{% endfor %}{% endfor %}",
    "times": "{{ 'a' * 10 ** 10 }}",
    "times swapped": "{{ 10 ** 10 * 'a' }}",
    "list times": "{{ [0] * 10 ** 10 }}",
    "tuple times": "{{ (0, 1) * 10 ** 10 }}",
    "power": "{{ 9 ** 999999999 }}",
    "power of powers": "{% set x = 9 ** 99 %}{{ (x ** 99) ** 99 }}",
    "product": GROW % "{% set ns.y = (ns.y or 3) * (ns.y or 3) %}",
    "sum of products": GROW % "{% set ns.y = (ns.y or 3) * (ns.y or 3) + 1 %}" + "{{ ns.y }}",
    "long literal": "{{ " + "9" * 5000 + " }}",
    "plus": GROW % "{% set ns.x = ns.x + ns.x %}",
    "tilde": GROW % "{% set ns.x = ns.x ~ ns.x %}",
    "list plus": GROW % "{% set ns.x = (ns.x | list) + (ns.x | list) %}",
    "set block": GROW % "{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}",
    "join": GROW % "{% set ns.x = [ns.x, ns.x] | join %}",
    "join method": GROW % "{% set ns.x = ns.x.join([ns.x, ns.x]) %}",
    "replace": GROW % "{% set ns.x = ns.x | replace('a', 'aaaaaaaa') %}",
    "replace method": GROW % "{% set ns.x = ns.x.replace('', 'aaaaaaaa') %}",
    "filter block": GROW
    % "{% set y %}{% filter upper %}{{ ns.x ~ ns.x }}{% endfilter %}{% endset %}{% set ns.x = y %}",
    "macro": "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}" + GROW % "{% set ns.x = m(ns.x) %}",
    "recursive macro": "{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}",
    "branching macro": """{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}
        {%- endmacro %}{{ m(60) }}""",
    "arguments": """{% macro m(n) %}{% if n %}{{ m(n - 1, varargs, varargs) }}
        {%- else %}{{ varargs }}{% endif %}{% endmacro %}{{ m(60, 'a') }}""",
    "named arguments": """{% macro m(n) %}{% if n %}{{ m(n=n - 1, a=kwargs, b=kwargs) }}
        {%- else %}{{ kwargs }}{% endif %}{% endmacro %}{{ m(60) }}""",
    "nested list printed": GROW % "{% set ns.x = [ns.x, ns.x] %}" + "{{ ns.x }}",
    "nested dict": GROW % "{% set ns.x = {'a': ns.x, 'b': ns.x} %}" + "{{ ns.x | tojson }}",
    "nested tuple compared": GROW % "{% set ns.x = (ns.x, ns.x) %}{% set ns.y = (ns.y, ns.y) %}"
    + "{{ ns.x == ns.y }}",
    "nested by dict()": GROW % "{% set ns.x = dict(a=ns.x, b=ns.x) %}" + "{{ ns.x }}",
    "slices": """{% set big = 'a' * 8000000 %}{% macro m(n) %}{% set part = big[1:] %}
        {%- if n %}{{ m(n - 1) }}{% endif %}{{ part[:1] }}{% endmacro %}{{ m(90) }}""",
    "listing": """{% set big = 'a' * 1000000 %}{% macro m(n) %}{% set part = big | list %}
        {%- if n %}{{ m(n - 1) }}{% endif %}{{ part[0] }}{% endmacro %}{{ m(90) }}""",
    "center": "{{ 'a' | center(10 ** 9) }}",
    "ljust": "{{ 'a'.ljust(10 ** 9) }}",
    "rjust": "{{ 'a'.rjust(10 ** 9) }}",
    "zfill": "{{ 'a'.zfill(10 ** 9) }}",
    "expandtabs": "{{ '\\t'.expandtabs(10 ** 9) }}",
    "translate": "{{ ('a' * 9999).translate({97: 'b' * 9999999}) }}",
    "indent": "{{ 'a\\nb' | indent(10 ** 9) }}",
    "indent text": "{{ ('\\n' * 9999) | indent('a' * 999999) }}",
    "wordwrap": "{{ 'a b' | wordwrap(10 ** 9, wrapstring='a' * 9999) }}",
    "batch": "{{ [1] | batch(10 ** 9, 'x') | list }}",
    "slice": "{{ [1] | slice(10 ** 9) | list }}",
    "sum": "{{ ([[0] * 999] * 99999) | sum(start=[]) | length }}",
    "round": "{{ 1.5 | round(10 ** 9, 'floor') }}",
    "format width": "{{ '%0999999999d' | format(1) }}",
    "tojson indent": "{{ [[1]] | tojson(indent=10 ** 9) }}",
    "tojson indent text": "{{ [[1]] | tojson(indent='a' * 9999999) }}",
    "tojson separators": "{{ ([1] * 99999) | tojson(separators=('a' * 99999, ':')) }}",
    "strip": "{{ ('a' * 4000000).strip('b' * 4000000 ~ 'a') }}",
    "trim": "{{ ('a' * 4000000) | trim('b' * 4000000 ~ 'a') }}",
    "rfind": "{{ ('a' * 4000000).rfind('b' ~ 'a' * 2000000) }}",
    "lipsum": "{{ lipsum(n=10 ** 6) }}",
    "deep": GROW.replace("60", "99999") % "{% set ns.x = [ns.x] %}" + "{{ ns.x }}",
    "output": "{% for i in range(9) %}{{ 'a' * 999999 }}{% endfor %}",
    "strftime": "{{ strftime_now('%9999999d' * 9999999) * 999 }}",
    "parser": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "compiler": "{% if 1 %}" * 150 + "{% endif %}" * 150,
    "constant": "{{ 'a' | replace('a', 'b' * 999999) | replace('b', 'c' * 999999) }}",
    "source": "x" * (sandbox.MAX_SOURCE + 1),
}


@pytest.mark.parametrize("source", BOMBS.values(), ids=BOMBS)
def test_bombs(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread, where no alarm can interrupt what C does: the sizes must be looked at first."""
    monkeypatch.setattr(sandbox, "SECONDS", 0.3)
    ends: list[object] = []

    def attempt() -> None:
        try:
            ends.append(run(source))
        except UserError as error:
            ends.append(error)

    started = time.monotonic()
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(timeout=10)
    assert time.monotonic() - started < 0.3 + 1.2  # more on a busy machine
    (error,) = ends
    assert isinstance(error, UserError)
    assert error.code == Exit.MISMATCH
    assert len(error.reason) < 3000


MACRO = "{% macro m(a) %}{% endmacro %}"
STEPS = {
    "{{ (x + x) | length }}": 2000,
    "{{ (x ~ x) | length }}": 2000,
    "{{ (x * 3) | length }}": 3000,
    "{{ ([x] * 3) | length }}": 3000,
    "{{ [x, x] | length }}": 2000,
    "{{ (x, x) | length }}": 2000,
    "{{ {x: x} | length }}": 2000,
    "{{ x[1:] | length }}": 999,
    "{{ x | list | length }}": 8000,
    "{{ x | upper | length }}": 1000,
    "{{ x.upper() | length }}": 1000,
    "{{ x.split('a') | length }}": 8000,
    "{% set y %}{{ x }}{{ x }}{% endset %}": 2000,
    "{% filter trim %}{{ x }}{% endfilter %}": 3000,
    MACRO + "{{ m(x) }}": 1000,
    MACRO + "{{ m(a=x) }}": 1000,
    "{% macro m() %}{{ x }}{% endmacro %}{% set y = m() %}": 1000,
    "{% set y = dict(a=x) %}": 2000,
}


@pytest.mark.parametrize(("source", "least"), STEPS.items())
def test_every_step_is_charged(source: str, least: int) -> None:
    run(source, x="")
    before = charges.MEMORY - charges._account.left
    run(source, x="a" * 1000)
    spent = charges.MEMORY - charges._account.left - before
    assert spent >= least


def test_bombs_leave_the_memory_alone() -> None:
    """All of them on the main thread of a process that may take 1.5 GiB: it stays below."""
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))\n"
        "from tests.templating.test_sandbox import BOMBS, UserError, run, sandbox\n"
        "sandbox.SECONDS = 0.3\n"
        "for name in sys.argv[1:]:\n"
        "    try:\n"
        "        run(BOMBS[name])\n"
        "    except UserError as error:\n"
        "        assert 'MemoryError' not in repr(error.__context__), name\n"
        "    else:\n"
        "        raise AssertionError(name)\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", code, *BOMBS], check=True, cwd=root, timeout=120)


BUILDS = "the chat template builds more than 8388608 characters"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        *((BOMBS[n], BUILDS) for n in ("output", "product", "slices", "strip")),
        (BOMBS["silent loops"], "the chat template runs for more than 1 s"),
        (BOMBS["recursive macro"], "the chat template recurses without end"),
        (BOMBS["source"], "the chat template is longer than 262144 characters"),
        (
            "{{ 'a' | center(9) }}",
            "the chat template failed: the filter 'center' is not for chat templates",
        ),
        ("{{ nothing.content }}", "the chat template failed: 'nothing' is undefined"),
        ("{{ 5 | dictsort }}", "the chat template failed: 'int' object has no attribute 'items'"),
        ("{{ 1 / 0 }}", "the chat template failed: division by zero"),
        ("\n{% for %}", "the chat template has a fault in line 2: Expected an expression, "),
        ("{{ 1 | unheard }}", "the chat template has a fault in line 1: No filter named 'unheard'"),
    ],
)
def test_failures_say_why(source: str, reason: str) -> None:
    with pytest.raises(UserError) as failure:
        run(source)
    assert failure.value.reason.startswith(reason)
    assert failure.value.hint == "choose another --template"


def test_a_filter_that_is_refused_hurts_only_where_it_is_used() -> None:
    assert run("{% if false %}{{ 'a' | center(9) }}{% endif %}b") == "b"


def test_a_complaint_is_bad_data_and_is_cut() -> None:
    with pytest.raises(UserError) as failure:
        run("{{ raise_exception('roles must alternate') }}")
    assert failure.value.reason == "the chat template refuses it: roles must alternate"
    assert failure.value.code == Exit.BAD_DATA
    with pytest.raises(UserError) as failure:
        run("{{ raise_exception('a' * 999999) }}")
    assert len(failure.value.reason) < 3000


def test_other_threads_are_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.1)
    ends: list[Any] = []

    def attempt() -> None:
        started = time.monotonic()
        try:
            run(BOMBS["silent loops"])
        except UserError as error:
            ends.append((error.reason, time.monotonic() - started < 1))
        ends.append(run("{{ messages[0].content }}"))

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert ends == [("the chat template runs for more than 0.1 s", True), "hi"]


def test_the_alarm_of_others_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SECONDS", 0.05)
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    signal.setitimer(signal.ITIMER_REAL, 60, 30)
    try:
        with pytest.raises(UserError, match="runs for more than"):
            run(BOMBS["silent loops"])
        assert not rung
        assert signal.getitimer(signal.ITIMER_REAL) == (pytest.approx(60, abs=10), 30)
        signal.raise_signal(signal.SIGALRM)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- what honest templates use


NEEDED = {
    "{{ strftime_now('%d %b %Y, %H:%M') }}": "26 Jul 2024, 00:00",
    "{{ {'b': '<é>', 'a': [1.5, none]} | tojson }}": '{"b": "<é>", "a": [1.5, null]}',
    "{{ {'a': 1} | tojson(indent=2) }}": '{\n  "a": 1\n}',
    "{{ ['é'] | tojson(ensure_ascii=true, separators=(',', ':')) }}": '["\\u00e9"]',
    "{{ {'b': 1, 'a': 2} | tojson(sort_keys=true) }}": '{"a": 2, "b": 1}',
    "{% generation %}{% set x = 1 %}{{ x }}{% endgeneration %}{{ x }}": "1",
    "{% generation %}{% endgeneration %}.": ".",
    "{% for m in messages %}{% if loop.last %}{% break %}{% endif %}.{% endfor %}": ".",
    "{% for a, b in {'x': 1}.items() %}{{ a }}={{ b }}{% endfor %}": "x=1",
    "{{ (messages | selectattr('role', 'equalto', 'user') | list | first).content }}": "hi",
    "{{ messages[1:] | map(attribute='content') | join('+') }}": "hello",
    "{{ messages | join('+', attribute='role') }}": "user+assistant",
    "{{ messages | map('tojson') | join(',') | length }}": "75",
    "{{ ' a-b '.strip().split('-') | reverse | join('|') }}": "b|a",
    "{{ 'x</think>  y'.split('</think>')[-1].lstrip() }}": "y",
    "{{ 'aXbX'.rstrip('X').replace('X', '-', 1) | upper }}": "A-B",
    "{{ 'a\nb\n' | indent(2) }}|{{ 'a\nb' | indent(2, true) }}": "a\n  b\n|  a\n  b",
    "{{ ', '.join(['a', 'b']) ~ 1 ~ none ~ ['x'] }}": "a, b1None['x']",
    "{{ [1, 2] + [3] }}{{ (1, 2)[0] }}{{ 'ab'[::-1] }}{{ 7 // 2 }}{{ 2 ** 3 }}": "[1, 2, 3]1ba38",
    "{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}"
    "{{ ns.n }}": "2",
    "{% macro m(x, y=2) %}<{{ x }}{{ y }}{{ varargs }}>{% endmacro %}{{ m(1) }}{{ m(1, 3, 4) }}": (
        "<12()><13(4,)>"
    ),
    "{{ messages[0]['role'] }}{{ messages[0].get('x', '-') }}{{ messages[0].x is defined }}": (
        "user-False"
    ),
    "{{ dict(a=1).a }}{% set j = joiner('+') %}{{ j() }}{{ j() }}": "1+",
    "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}": "aba",
    "{{ ' x ' | trim }}{{ 'ab' | capitalize }}{{ nothing | default('d') }}": "xAbd",
    "{{ {'b': 2, 'a': 1} | dictsort }}{{ {'a': 1} | items | list }}": (
        "[('a', 1), ('b', 2)][('a', 1)]"
    ),
    "{{ -3 | abs }}{{ '4' | int + 1 }}{{ 'x' | safe }}{{ '<' | e }}": "35x&lt;",
}


@pytest.mark.parametrize(("source", "text"), NEEDED.items())
def test_what_templates_need(source: str, text: str) -> None:
    assert run(source) == text


def trl_templates() -> list[Path]:
    """Templates of public models that come with a library for developers."""
    found = importlib.util.find_spec("trl")
    folders = found.submodule_search_locations if found else []
    return sorted(path for folder in folders or [] for path in Path(folder).rglob("*.jinja"))


TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The <weather> of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "description": "é"}},
            "required": ["city"],
        },
    },
}
CALL = {
    "id": "call12345",
    "type": "function",
    "function": {"name": "weather", "arguments": {"city": "Rome", "days": [1, 2.5, None]}},
}
CHATS: list[list[dict[str, Any]]] = [
    CHAT,
    [{"role": "system", "content": " be brief\n"}, *CHAT, {"role": "user", "content": "two?"}],
    [
        {"role": "user", "content": "Rome?"},
        {"role": "assistant", "content": "", "reasoning_content": "so\n", "tool_calls": [CALL]},
        {"role": "tool", "content": "sunny", "tool_call_id": "call12345", "name": "weather"},
        {"role": "assistant", "content": "<think>no</think>yes"},
    ],
]


@pytest.mark.parametrize("path", trl_templates(), ids=lambda path: path.stem)
def test_public_templates_render_as_in_transformers(path: Path) -> None:
    from transformers.utils import chat_template_utils

    source = path.read_text(encoding="utf-8")
    theirs = chat_template_utils._compile_jinja_template(source)
    ours = Program(source)
    if "strftime_now" in source:
        theirs.globals["strftime_now"] = lambda form: sandbox._DATE.strftime(form)
    for messages in CHATS:
        for tools in (None, [TOOL]):
            for prompt in (False, True):
                variables = {
                    "messages": messages,
                    "tools": tools,
                    "documents": None,
                    "add_generation_prompt": prompt,
                    "bos_token": "<s>",
                    "eos_token": "</s>",
                }
                assert outcome(lambda v=variables: ours.run(**v)) == outcome(
                    lambda v=variables: theirs.render(**v)
                )


def outcome(render: Callable[[], str]) -> str | None:
    """The text, or None where the template fails."""
    try:
        return render()
    except Exception:
        return None


def test_the_suite_holds_without_assertions_of_the_library() -> None:
    """`python -OO` removes assert statements: no limit may hang on one."""
    code = (
        "from tests.templating.test_sandbox import BOMBS, ESCAPES, UserError, run, sandbox\n"
        "sandbox.SECONDS = 0.3\n"
        "for source in [*ESCAPES.values(), BOMBS['plus'], BOMBS['silent loops']]:\n"
        "    try:\n"
        "        run(source)\n"
        "    except UserError:\n"
        "        continue\n"
        "    raise SystemExit(source)\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONOPTIMIZE": "2"}
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, env=environment, timeout=60)
