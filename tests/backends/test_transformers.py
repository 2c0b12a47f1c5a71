"""The model in this process: where answers end, what is refused, and what a run brings along."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from tokenizers import Tokenizer as Library

from instructune.answering import decoding
from instructune.answering.completions import Completion, Prompt
from instructune.backends.transformers import Local, connect
from instructune.configs import GenerateConfig
from instructune.errors import Exit, UserError
from instructune.records import Record
from instructune.tokens import prompt_ids
from tests.generating import chat, peer, save_tiny, write_rows
from tests.tuning import train_run

WORDS = ("cSTOPd", "xab", " and", "好吗")  # ids 260 and up, beside the bytes


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTRUCTUNE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, _cache: None) -> Path:
    """A tiny Llama whose tokenizer knows some words beside the bytes."""
    path = save_tiny(tmp_path_factory.mktemp("model"), vocab_size=260 + len(WORDS))
    tokenizer = Library.from_file(str(path / "tokenizer.json"))
    tokenizer.add_tokens(list(WORDS))
    tokenizer.save(str(path / "tokenizer.json"))
    return path


def backend(model: str | Path, **settings: Any) -> Local:
    """The backend of a model, in float32 and one thread."""
    given = {"dtype": "float32", "threads": 1, "max_new_tokens": 8} | settings
    return connect(GenerateConfig(model=str(model), prompt=("x",), **given), lambda event: None)


def ask(local: Local, *rows: dict[str, Any]) -> list[Completion]:
    """The answers to rows."""
    records = [Record(row | {"id": row.get("id", str(i))}) for i, row in enumerate(rows)]
    return local.complete([Prompt(record, 0) for record in records], lambda answers, tokens: None)


@contextmanager
def saying(local: Local, tokens: list[int]) -> Iterator[None]:
    """Make the model say these tokens, whatever it is asked."""
    said = iter(tokens)

    def say(module: Any, args: Any, found: Any) -> None:
        found.logits[:] = torch.nn.functional.one_hot(
            torch.tensor(next(said)), found.logits.shape[-1]
        )

    model = local.model.get_base_model() if hasattr(local.model, "peft_config") else local.model
    hook = model.register_forward_hook(say)
    yield
    hook.remove()


def tokens_of(*parts: str | int) -> list[int]:
    """Bytes of texts; ids as they are; a word of `WORDS` in brackets as one token."""
    found: list[int] = []
    for part in parts:
        if isinstance(part, int):
            found.append(part)
        elif part[0] == "[":
            found.append(260 + WORDS.index(part[1:-1]))
        else:
            found += part.encode()
    return found


IM_START, IM_END, TEXT_END = 257, 258, 259


@pytest.mark.parametrize(
    ("said", "stops", "text", "reason", "used"),
    [
        (["ab##cdef"], ["##"], "ab", "stop", 4),  # of several tokens
        (["##cdefgh"], ["##"], "", "stop", 2),
        (["ab#c#def"], ["##"], "ab#c#def", "length", 8),  # never there
        (["a你好b"], ["好"], "a你", "stop", 7),  # letters of several bytes
        (["a你", "[好吗]", "b"], ["吗"], "a你好", "stop", 5),
        (["x", "[cSTOPd]", "y"], ["STOP"], "xc", "stop", 2),  # in the middle of a token
        (["x", "[cSTOPd]", "y"], ["d", "STOP"], "xc", "stop", 2),  # the first in the text
        (["[xab]", "y"], ["ab", "xa"], "", "stop", 1),  # they overlap
        (["a#", IM_START, "#b"], ["##"], "a", "stop", 4),  # a control token is no text
        (["a", "[ and]", "b"], [" "], "a", "stop", 2),  # a blank before a word
        (["[ and]", "b"], [" and"], "", "stop", 1),
        (["a你"[:1], 0xE4, 0xBD], ["x"], "a\ufffd", "length", 3),  # cut in a letter
        (["a", 0xE4, 0xBD, 0xA0, "#b"], ["#"], "a你", "stop", 5),
        (["ab", IM_END], [], "ab", "stop", 2),  # the stop token itself
        (["ab", IM_END], ["zz"], "ab", "stop", 2),
        ([IM_END], [], "", "stop", 0),
        (["abcdefgh"], [], "abcdefgh", "length", 8),
        (["a", TEXT_END, "bcdefg"], [], "abcdefg", "length", 8),  # no stop of this model
    ],
)
def test_where_an_answer_ends(folder, said, stops, text, reason, used):
    tokens = tokens_of(*said)
    most = used if reason == "length" else 8
    local = backend(folder, stop=tuple(stops), max_new_tokens=most)
    with saying(local, tokens):
        (answer,) = ask(local, chat("hi"))
    assert answer[:2] == (text, reason)
    assert answer.completion_tokens == used


def test_answers_come_in_the_order_of_the_prompts_and_equal_generate(folder):
    texts = ["a", "a much longer question than the others", "hm?", "a", "what now"]
    local = backend(folder, batch_size=2)
    rows = [Record(chat(text), id=str(i)) for i, text in enumerate(texts)]
    prompts = [prompt_ids(row, local.tokenizer) for row in rows]
    expected = [peer(local.model, ids, 8, local.stops) for ids in prompts]
    answers = ask(local, *rows)
    assert [a.text for a in answers] == [local.tokenizer.decode(ids) for ids in expected]
    assert [a.prompt_tokens for a in answers] == [len(ids) for ids in prompts]
    assert [a.completion_tokens for a in answers] == [len(ids) for ids in expected]
    assert len({a.text for a in answers}) == 4


def test_the_reference_answer_is_not_shown(folder):
    with_answer, without = ask(backend(folder), chat("hi", "the answer"), chat("hi"))
    assert with_answer == without


def test_a_text_is_gone_on_with_as_it_is(folder):
    (answer,) = ask(backend(folder), {"text": "Once upon"})
    assert answer.prompt_tokens == len("Once upon")
    assert answer.text


def test_tools_are_shown(folder, tmp_path):
    template = tmp_path / "tools.jinja"
    template.write_text("{{ tools | tojson if tools }}{{ messages[0].content }}")
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}}}]
    local = backend(folder, template=str(template))
    with_tools, without = ask(local, chat("hi", tools=tools), chat("hi"))
    assert without.prompt_tokens == 2
    assert with_tools.prompt_tokens > 30


def test_what_cannot_be_asked_is_an_error_of_its_row(folder, tmp_path):
    template = tmp_path / "strict.jinja"
    template.write_text(
        "{% if 'bad' in messages[0].content %}{{ raise_exception('not this') }}{% endif %}"
        "{{ messages[0].content }}"
    )
    local = backend(folder, template=str(template), max_length=20)
    answers = ask(local, chat("fine"), chat("bad"), chat("x" * 20), chat(""), {"texts": ["a", "b"]})
    assert [a.finish_reason for a in answers] == ["length", *["error"] * 4]
    assert [a.text is None for a in answers] == [False, True, True, True, True]
    errors = [a.error for a in answers[1:]]
    assert "not this" in errors[0]
    assert errors[1] == "a prompt of 20 tokens leaves no room for an answer within 20"
    assert errors[2] == "the prompt is empty"
    assert "no messages" in errors[3]


@pytest.mark.parametrize(("room", "used"), [(1, 1), (3, 3), (8, 8), (9, 8)])
def test_prompt_and_answer_fit_max_length(folder, room, used):
    local = backend(folder, max_length=30 + room)
    with saying(local, tokens_of("abcdefgh")):
        (answer,) = ask(local, {"text": "x" * 30})
    assert (answer.completion_tokens, answer.finish_reason) == (used, "length")


def test_no_prompt_and_answer_are_longer_than_the_model_takes(tmp_path):
    short = save_tiny(tmp_path, max_position_embeddings=24)
    for asked in (None, 100):
        local = backend(short, max_length=asked)
        with saying(local, tokens_of("abcd")):
            fits, full = ask(local, {"text": "x" * 20}, {"text": "x" * 24})
        assert (fits.completion_tokens, full.finish_reason) == (4, "error")


def test_an_adapter_s_virtual_tokens_take_places_of_the_model_s(tmp_path):
    base = save_tiny(tmp_path / "base", max_position_embeddings=24)
    config = peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    wrapped: Any = peft.get_peft_model(backend(base).model, config)
    wrapped.peft_config["default"].base_model_name_or_path = str(base)
    wrapped.save_pretrained(tmp_path / "prefix")
    local = backend(tmp_path / "prefix")
    with saying(local, tokens_of("ab")):
        fits, full = ask(local, {"text": "x" * 19}, {"text": "x" * 21})
    assert (fits.completion_tokens, full.finish_reason) == (2, "error")


def test_output_that_is_not_finite_is_an_error(folder):
    local = backend(folder)

    def spoil(module: Any, args: Any, given: Any, found: Any) -> None:
        found.logits[(given["input_ids"] == 33).any(-1)] = float("nan")

    hook = local.model.register_forward_hook(spoil, with_kwargs=True)
    good, bad = ask(local, chat("fine"), chat("bad!"))
    hook.remove()
    assert good.finish_reason == "length"
    assert (bad.text, bad.finish_reason) == (None, "error")
    assert bad.error == "the model's output is not finite, at token 1"


def test_a_lack_of_memory_is_told_as_such(folder, monkeypatch):
    def starve(*given: Any) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    monkeypatch.setattr(decoding, "decode", starve)
    with pytest.raises(MemoryError):
        ask(backend(folder), chat("hi"))


def test_every_token_is_told(folder):
    told: list[tuple[int, int]] = []
    local = backend(folder, max_length=31)
    records = [Record(id=str(i), text="x" * n) for i, n in enumerate((5, 40, 29))]
    with saying(local, tokens_of("abcdefgh")):
        local.complete([Prompt(record, 0) for record in records], lambda *now: told.append(now))
    # the one that is too long is answered at once, one is after two tokens
    assert told == [(1, 2), (2, 4), *((2, tokens) for tokens in range(5, 10)), (3, 10)]


@pytest.mark.parametrize("setting", ["temperature", "top_p", "top_k", "seed"])
def test_settings_of_drawing_are_heeded(folder, setting):
    base = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "seed": 0}
    other = {"temperature": 3.0, "top_p": 0.2, "top_k": 2, "seed": 1}
    rows = [chat(str(i)) for i in range(4)]
    plain = ask(backend(folder, **base), *rows)
    assert plain == ask(backend(folder, **base), *rows)
    assert plain != ask(backend(folder, **base | {setting: other[setting]}), *rows)


def test_samples_draw_differently(folder):
    local = backend(folder, temperature=1.0)
    record = Record(chat("hi"), id="a")
    answers = local.complete([Prompt(record, i) for i in range(4)], lambda *now: None)
    assert len({answer.text for answer in answers}) == 4
    again = local.complete([Prompt(record, 2)], lambda *now: None)
    assert again == [answers[2]]


# presets and runs


def test_a_preset_s_fingerprint_names_the_weights_that_its_seed_draws():
    prints = [backend("tiny-llama", seed=seed).fingerprint for seed in (0, 1, 0)]
    assert prints[0] == prints[2] != prints[1]


def test_device_and_dtype_are_those_asked_for(folder):
    model = backend(folder, dtype="bfloat16").model
    assert model.dtype == torch.bfloat16
    with pytest.raises(UserError) as caught:
        backend(folder, device="cuda:77").model  # noqa: B018
    assert caught.value.code == Exit.UNAVAILABLE
    backend(folder, threads=2).model  # noqa: B018
    assert torch.get_num_threads() == 2
    backend(folder, threads=1).model  # noqa: B018
    assert torch.get_num_threads() == 1


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, _cache: None) -> Callable[[str], Path]:
    """A run of a tiny model by method: short, from weights of seed 3, with its own template."""
    made: dict[str, Path] = {}

    def run(method: str) -> Path:
        if method not in made:
            path = tmp_path_factory.mktemp(method)
            write_rows(path / "data.jsonl", [chat(str(i), "ok", id=str(i)) for i in range(4)])
            settings = {"steps": 2, "seed": 3, "method": method, "learning_rate": 0.05}
            train_run(path, template="vicuna", **settings)
            made[method] = path / "run"
        return made[method]

    return run


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_answers_with_its_weights_and_its_template(runs, method):
    local = backend(runs(method))
    (answer,) = ask(local, chat("hi"))
    rendered = local.tokenizer.template.render(
        [{"role": "user", "content": "hi"}], add_generation_prompt=True
    ).text
    assert "USER: hi" in rendered
    assert answer.prompt_tokens == len(local.tokenizer.encode(rendered).ids)
    base = backend("tiny-llama", template="vicuna", seed=3).model.state_dict()
    trained = local.model
    if method == "lora":
        trained = trained.merge_and_unload()
    name = "model.layers.0.self_attn.q_proj.weight"
    change = (trained.state_dict()[name] - base[name]).abs().max()
    assert 0 < change < 0.5  # from the weights of the run's seed, not of this one's


@pytest.mark.parametrize("method", ["full", "lora"])
def test_another_template_than_the_run_s_is_refused(runs, method):
    with pytest.raises(UserError) as caught:
        backend(runs(method), template="chatml")
    assert caught.value.code == Exit.MISMATCH
    assert (caught.value.where, caught.value.hint) == (
        "--template",
        "leave --template out to use the run's own",
    )
    backend(runs(method), template="vicuna")


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_tokenizer_that_changed_under_a_run_is_refused(runs, method, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(runs(method), copy)
    weights = copy / ("model" if method == "full" else "adapter")
    (weights / "chat_template.jinja").write_text("{{ messages[0].content }}")
    with pytest.raises(UserError, match="another template or tokenizer") as caught:
        backend(copy)
    assert (caught.value.code, caught.value.where) == (Exit.MISMATCH, str(copy))


def edit(path: Path, **changes: Any) -> None:
    document = json.loads(path.read_text()) if path.is_file() else {}
    path.write_text(json.dumps(document | changes))


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_run_stops_where_it_learned_to(runs, method, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(runs(method), copy)
    assert backend(copy).stops == {IM_END}
    edit(
        copy / ("model" if method == "full" else "adapter") / "generation_config.json",
        eos_token_id=[IM_END, 10],
    )
    local = backend(copy)
    assert local.stops == {IM_END, 10}
    with saying(local, tokens_of("ab\ncd")):
        (answer,) = ask(local, chat("hi"))
    assert answer[:2] == ("ab", "stop")


def test_an_adapter_that_names_no_stops_has_its_base_s(folder, runs, tmp_path):
    """As peft and a tokenizer's save_pretrained leave it: tokenizer.json without the stops."""
    base, adapter = tmp_path / "base", tmp_path / "lora"
    shutil.copytree(save_tiny(tmp_path / "plain"), base)
    edit(base / "generation_config.json", eos_token_id=[TEXT_END, 7])
    shutil.copytree(runs("lora") / "adapter", adapter)
    (adapter / "generation_config.json").unlink()
    edit(adapter / "adapter_config.json", base_model_name_or_path=str(base))
    local = backend(adapter)
    assert local.tokenizer.folder == adapter
    assert local.stops == {IM_END, TEXT_END, 7}


def test_the_settings_that_answers_depend_on(folder):
    local, other = backend(folder), backend(folder, template="vicuna")
    settings = local.settings()
    assert settings["model"] == local.fingerprint
    assert settings["stop_ids"] == [IM_END]
    assert {"torch", "transformers", "instructune"} <= settings["versions"].keys()
    assert other.settings()["tokenizer"] != settings["tokenizer"]


# what is measured beside the answer


def test_the_likelihood_of_a_reference_is_the_loss_that_training_would_see(folder):
    from instructune.tokens import Encoding
    from instructune.training.batches import TokenData
    from instructune.training.heads import supervised_loss

    local = backend(folder, score_references=True, max_new_tokens=2)
    rows = [chat("hi", "hello"), chat("a longer question", "and an answer")]
    records = [Record({"id": str(n)} | row) for n, row in enumerate(rows)]
    found = local.complete([Prompt(record, 0) for record in records], lambda *told: None)
    data = TokenData(Encoding(local.tokenizer).sequences(records))
    with torch.inference_mode():
        loss = supervised_loss(local.model)(data.batch([0, 1], 0)).item()
    measured = [answer.measured["reference_logprob"] for answer in found]
    assert -sum(one["sum"] for one in measured) == pytest.approx(loss, rel=1e-5)
    assert sum(one["tokens"] for one in measured) == data.learned
    assert [one["bytes"] for one in measured] == [5, 13]
    assert all(answer.finish_reason == "length" for answer in found)


def test_the_likeliest_label_is_the_answer_of_a_model_that_is_to_write_none(folder):
    local = backend(folder, label_scores="yes,no,perhaps", max_new_tokens=0, samples=1)
    prompt = Prompt(Record({"id": "1"} | chat("hi")), 0)
    (answer,) = local.complete([prompt], lambda *told: None)
    scores = answer.measured["label_scores"]
    assert answer.text == max(scores, key=scores.__getitem__)
    assert (answer.finish_reason, list(scores)) == ("stop", ["yes", "no", "perhaps"])
    # adding up to less than 1 with all other answers, as the end of each counts
    assert sum(map(lambda score: 2.718281828**score, scores.values())) < 1


def test_token_logprobs_are_of_the_answer_and_its_end(folder):
    local = backend(folder, logprobs=True)
    with saying(local, tokens_of("ab", IM_END)):
        (answer,) = ask(local, chat("hi"))
    told = answer.measured["token_logprobs"]
    assert [token for token, _ in told] == ["a", "b", ""]
    one_hot = 1 - torch.logsumexp(torch.tensor([1.0] + [0.0] * 263), 0).item()
    assert [value for _, value in told] == pytest.approx([one_hot] * 3, abs=1e-5)


def test_a_row_that_cannot_be_measured_is_an_error(folder):
    local = backend(folder, score_references=True, max_length=40, max_new_tokens=4)
    (answer,) = ask(local, chat("hi", "x" * 60))
    assert (answer.text, answer.finish_reason) == (None, "error")
    assert "more than 40" in str(answer.error)


# why


def test_the_explained_log_probability_is_that_of_the_answer_and_its_end(folder):
    local = backend(folder, explain="gradient", logprobs=True)
    for record in (chat("hi"), {"text": "Once"}):
        (answer,) = ask(local, record)
        told = sum(value for _, value in answer.measured["token_logprobs"])
        assert answer.measured["explanation"]["check"]["score"] == pytest.approx(told, rel=1e-3)


def test_the_token_that_stopped_it_is_explained_too(folder):
    local = backend(folder, explain="attention")
    with saying(local, tokens_of("ab", IM_END, *[0] * 9)):
        (answer,) = ask(local, chat("hi"))
    assert answer.text == "ab"
    assert answer.measured["explanation"]["answer"] == ["a", "b", "<|im_end|>"]


def test_what_takes_long_beside_the_answers_is_told(folder):
    """Scores and explanations may take minutes, in which nobody wants to see nothing."""
    local = backend(
        folder, explain="gradient", label_scores="yes,no", score_references=True, max_new_tokens=0
    )
    told = []
    local.notify = told.append
    ask(local, chat("hi", "yes"), chat("you", "no"), chat("hm", "no"))
    parts = [(event["what"], event["done"], event["of"]) for event in told]
    assert parts[-1] == ("answers explained", 3, 3)
    assert ("texts scored", 9, None) in parts  # three references, and two labels for each row


def test_a_label_that_was_chosen_is_explained(folder):
    local = backend(folder, explain="gradient", label_scores="yes,no", max_new_tokens=0)
    (answer,) = ask(local, chat("hi"))
    scores = answer.measured["label_scores"]
    found = answer.measured["explanation"]
    assert found["check"]["score"] == pytest.approx(scores[answer.text], rel=1e-3)
    assert found["tokens"][-3:] == ["n", "t", "\n"]


def test_a_row_without_an_answer_has_no_explanation(folder):
    (answer,) = ask(backend(folder, explain="gradient", max_length=10), chat("hi" * 9))
    assert answer.finish_reason == "error"
    assert "explanation" not in answer.measured


def test_an_adapter_s_answers_are_explained(runs):
    local = backend(runs("lora"), explain="integrated:steps=2000,tolerance=0.05")
    (answer,) = ask(local, chat("hi"))
    found = answer.measured["explanation"]
    assert found["check"]["complete"]
    assert "".join(found["tokens"]).endswith("ASSISTANT:")


def test_a_model_that_is_not_finite_is_told_of(folder):
    local = backend(folder, explain="occlusion")
    (answer,) = ask(local, chat("hi"))
    assert "error" not in answer.measured["explanation"]
    from instructune.attribution.explaining import Case

    with torch.no_grad():
        local.model.lm_head.weight[:] = float("nan")
    found = local.why(Case(Record(chat("hi"), id="1"), [1, 2], [3], "x"))
    assert found["error"] == "the model's output is not finite"
