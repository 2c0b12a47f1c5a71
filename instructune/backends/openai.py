"""A served model, asked for chat completions over HTTP as OpenAI, vLLM and llama.cpp take them.

`-m` is the name that the server knows the model by. A key is taken from OPENAI_API_KEY alone and
written nowhere; redirects are not followed, so that nobody else is shown it.
"""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from instructune import lineage
from instructune.answering.asking import Asker, Failed
from instructune.answering.completions import Completion, Notify, Prompt, Tick
from instructune.configs import GenerateConfig
from instructune.errors import usage

_FINISHED = {"stop": "stop", "length": "length", "content_filter": "filtered"}
# what only the model in this process can do, and its value where nobody asks for it
_LOCAL = {
    "score_references": False,
    "label_scores": None,
    "explain": None,
    "top_k": 0,
    "max_length": None,
    "template": None,
    "dtype": "auto",
    "device": "auto",
    "threads": None,
}


def connect(config: GenerateConfig, notify: Notify) -> Served:
    """Check that the server can do what `config` asks; it is called when answers are wanted."""
    if not config.base_url:
        hint = "such as --base-url http://localhost:8000/v1"
        raise usage("needs --base-url", where="--backend openai", hint=hint)
    place = urlsplit(config.base_url)
    if place.scheme not in ("http", "https") or not place.hostname:
        raise usage(f"must be http(s)://HOST/…, got {config.base_url!r}", where="--base-url")
    if place.username or place.password or place.query:
        hint = "the environment variable OPENAI_API_KEY holds the key"
        reason = "must hold no password and no query: it is written down"
        raise usage(reason, where="--base-url", hint=hint)
    for name, value in _LOCAL.items():
        if getattr(config, name) != value:
            flag = f"--{name.replace('_', '-')}"
            raise usage("is not for --backend openai: its interface has no such thing", where=flag)
    if not config.max_new_tokens:
        raise usage("must be at least 1 for --backend openai", where="--max-new-tokens")
    return Served(config, Asker(config.base_url, os.environ.get("OPENAI_API_KEY")))


class Served:
    """A model behind an address, asked by as many threads as `--batch-size` says."""

    def __init__(self, config: GenerateConfig, asker: Asker) -> None:
        self.config, self.asker = config, asker
        self.fingerprint = f"{config.model}@{urlsplit(config.base_url or '').netloc}"

    def settings(self) -> dict[str, Any]:
        """The model's name and its server; what is behind them cannot be told from here."""
        return {"model": self.fingerprint, "versions": lineage.versions()}

    def complete(self, prompts: list[Prompt], tick: Tick) -> list[Completion]:
        """Answer all prompts, several at a time; what fails for good becomes an error."""
        found: dict[int, Completion] = {}
        tokens = 0
        for i, completion in self._answered(prompts):
            found[i] = completion
            tokens += completion.completion_tokens
            tick(len(found), tokens)
        return [found[i] for i in range(len(prompts))]

    def _answered(self, prompts: list[Prompt]) -> Iterator[tuple[int, Completion]]:
        """Each answer as it comes; no thread is waited for once an error or a signal ends it."""
        waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[int, Completion | BaseException]] = queue.SimpleQueue()
        over = threading.Event()
        for i in range(len(prompts)):
            waiting.put(i)

        def work() -> None:
            while not over.is_set():
                try:
                    i = waiting.get_nowait()
                except queue.Empty:
                    return
                try:
                    done.put((i, self._one(prompts[i], over)))
                except BaseException as error:  # the main thread raises it
                    done.put((i, error))

        for _ in range(min(self.config.batch_size, len(prompts))):
            threading.Thread(target=work, daemon=True).start()
        try:
            for _ in prompts:
                i, outcome = done.get()
                if isinstance(outcome, BaseException):
                    raise outcome
                yield i, outcome
        finally:
            over.set()

    def _one(self, prompt: Prompt, over: threading.Event) -> Completion:
        try:
            if "messages" not in prompt.record:
                raise Failed("has no messages, and a chat is all that the server takes")
            return self._read(self.asker.ask("chat/completions", self._body(prompt), over))
        except Failed as error:
            return Completion(None, "error", error=str(error))

    def _body(self, prompt: Prompt) -> dict[str, Any]:
        config, record = self.config, prompt.record
        body: dict[str, Any] = {
            "model": config.model,
            "messages": record.prompt(),
            "max_tokens": config.max_new_tokens,
            "temperature": config.temperature,
            "seed": _seed(config.seed, record["id"], prompt.sample),
        }
        if config.top_p < 1:
            body["top_p"] = config.top_p
        if config.stop:
            body["stop"] = list(config.stop)
        if config.logprobs:
            body["logprobs"] = True
        if "tools" in record:
            body["tools"] = record["tools"]
        return body

    def _read(self, answer: Any) -> Completion:
        """The completion in a server's answer; Failed where it is not of the agreed form."""
        try:
            choice = answer["choices"][0]
            text, reason = choice["message"].get("content"), choice["finish_reason"]
            used = answer.get("usage") or {}
            read, made = (int(used.get(f"{kind}_tokens") or 0) for kind in ("prompt", "completion"))
            told = {"token_logprobs": _logprobs(choice)} if self.config.logprobs else {}
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise Failed("the server's answer is not a chat completion") from None
        if reason == "tool_calls" or (text is None and choice["message"].get("tool_calls")):
            raise Failed("the model called a tool instead of answering in words")
        finished = _FINISHED.get(reason)
        if finished is None or (type(text) is not str and finished != "filtered"):
            raise Failed(f"the server ended the answer by {reason!r}")
        return Completion(text or "", finished, read, made, measured=told)


def _logprobs(choice: Any) -> list[list[Any]]:
    """The tokens and what each was worth, as `--logprobs` tells them."""
    held = (choice.get("logprobs") or {}).get("content")
    if held is None:
        raise Failed("the server gives no log-probabilities; leave --logprobs out")
    return [[token["token"], float(token["logprob"])] for token in held]


def _seed(seed: int, name: str, sample: int) -> int:
    """A seed of its own for each sample of each row, small enough for any server."""
    key = hashlib.blake2b(f"{seed}\0{name}\0{sample}".encode(), digest_size=4).digest()
    return int.from_bytes(key) >> 1
