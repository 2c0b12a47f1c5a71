"""The model in this process, by torch and transformers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from instructune import lineage
from instructune.answering.completions import Completion, Notify, Prompt, Tick
from instructune.answering.labelled import answered
from instructune.answering.measures import Measures
from instructune.answering.modelfacts import fingerprint, longest, stop_ids
from instructune.answering.options import check_options
from instructune.answering.roles import role_of
from instructune.answering.stops import Stops
from instructune.attribution.explaining import Case, Explained
from instructune.configs import GenerateConfig
from instructune.environment import before_torch, importing_torch
from instructune.errors import Exit, UserError, usage
from instructune.fetching.modelfiles import ModelFiles, resolve
from instructune.objectives import objectives
from instructune.records import Record
from instructune.rundir import open_run
from instructune.tokenizer import Tokenizer
from instructune.tokens import prompt_ids
from instructune.training.goals import Answers, Given

if TYPE_CHECKING:
    from instructune.answering.decoding import Row


def connect(config: GenerateConfig, notify: Notify) -> Local:
    """Find the model that `config` names; it is loaded when the first answer is wanted."""
    if config.base_url:
        raise usage("needs --backend openai", where="--base-url")
    before_torch()
    files = resolve(config.model, lambda text: notify({"event": "note", "text": text}))
    return Local(config, files, notify)


class Local:
    """A model in memory that answers windows of prompts."""

    def __init__(self, config: GenerateConfig, files: ModelFiles, notify: Notify) -> None:
        self.config, self.files, self.notify = config, files, notify
        self.fingerprint = fingerprint(files, config.seed)
        self.role = role_of(files)
        self.plug_in = objectives[self.role.objective]
        check_options(config, self.role, self.plug_in, files.name)
        self.tokenizer = Tokenizer(files.tokenizer, config.template)
        self._check_template(files)
        self.stops = stop_ids(files, self.tokenizer)
        self.stopping = Stops(config.stop, self.tokenizer)
        self.limit = longest(files, config.max_length)
        own = self.role.head.pad_id
        self.pad_id = self.tokenizer.pad_id if own is None else own
        self.answers = self._answers()
        self.prompt_ids = getattr(self.plug_in, "prompt_ids", prompt_ids)
        sides = getattr(self.plug_in, "sides", None)
        self.measures = Measures(
            self.tokenizer,
            references=config.score_references,
            labels=config.label_scores,
            limit=self.limit,
            sides=sides(self.tokenizer) if sides else None,
        )
        self.explained = Explained(config.explain, self) if config.explain else None
        self._model: Any = None

    def _answers(self) -> Answers | None:
        """How a model answers that writes no text."""
        if not hasattr(self.plug_in, "Answers"):
            return None
        given = Given(self.tokenizer, self.limit, stored=self.role.head, pad_id=self.pad_id)
        answers: Answers = self.plug_in.Answers(self.role.facts, given)
        return answers

    def _check_template(self, files: ModelFiles) -> None:
        """Answers to prompts the model was not trained with are no answers."""
        if files.run is None:
            return
        trained = open_run(files.run)[1].get("fingerprints", {}).get("tokenizer")
        if trained != self.tokenizer.fingerprint:
            raise UserError(
                "the run was trained with another template or tokenizer",
                where="--template" if self.config.template else str(files.run),
                hint="leave --template out to use the run's own" if self.config.template else None,
                code=Exit.MISMATCH,
            )

    def settings(self) -> dict[str, Any]:
        """Fingerprints and versions that the answers depend on."""
        explained = {"explained_by": list(self.explained.inputs.values())} if self.explained else {}
        return {
            "model": self.fingerprint,
            "tokenizer": self.tokenizer.fingerprint,
            "stop_ids": sorted(self.stops),
            "versions": lineage.versions("torch", "transformers", "tokenizers"),
        } | explained

    @property
    def model(self) -> Any:
        """The torch model, loaded at first use: prompts that cannot be rendered fail sooner."""
        if self._model is None:
            with importing_torch():
                from instructune import hardware
                from instructune.models import load_model

            hardware.use_threads(self.config.threads)
            hardware.keep_memory()
            device = hardware.device(self.config.device)
            dtype = hardware.dtype(self.config.dtype, device)
            head = self.role.head
            self._model = load_model(self.files, dtype=dtype, device=str(device), head=head)
        return self._model

    def complete(self, prompts: list[Prompt], tick: Tick) -> list[Completion]:
        """Answer the longest first; what is too long or refused becomes an error."""
        if self.answers:
            return answered(self.answers, self, prompts, tick)
        measured = self._measured([prompt.record for prompt in prompts])
        rows: list[Row | Completion] = []
        for prompt, fields in zip(prompts, measured, strict=True):
            try:
                if isinstance(fields, UserError):
                    raise fields
                rows.append(self._row(prompt) if self.config.max_new_tokens else _likeliest(fields))
            except UserError as error:
                rows.append(Completion(None, "error", error=error.reason))
        asked = [row for row in rows if not isinstance(row, Completion)]
        if asked:
            self._decode(sorted(asked, key=lambda row: -len(row.prompt)), len(prompts), tick)
        return [
            one._replace(measured={**one.measured, **fields}) if isinstance(fields, dict) else one
            for one, fields in zip(self._finished(rows, prompts), measured, strict=True)
        ]

    def _measured(self, records: list[Record]) -> list[dict[str, Any] | UserError]:
        """What the model finds of given answers; once a record, however many samples it has."""
        if not self.measures:
            return [{} for _ in records]
        from instructune.answering.likelihood import log_probabilities
        from instructune.memory import memory_errors

        once = {record["id"]: record for record in records}
        told = self.counted("texts scored")
        with memory_errors():
            found = self.measures.of(
                list(once.values()),
                lambda ids, starts: log_probabilities(self.model, ids, starts, told),
            )
        by_id = dict(zip(once, found, strict=True))
        return [by_id[record["id"]] for record in records]

    def _finished(
        self, rows: list[Row | Completion], prompts: list[Prompt]
    ) -> Iterator[Completion]:
        """What was decoded as completions, with explanations where they are asked for."""
        explained = self.counted("answers explained", len(prompts))
        for row, prompt in zip(rows, prompts, strict=True):
            yield (
                self._labelled(row, prompt)
                if isinstance(row, Completion)
                else self._completion(row, prompt)
            )
            if self.explained:
                explained(1)

    def counted(self, what: str, of: int | None = None) -> Callable[[int], None]:
        """Tells how much of this window's work before or after the answers is done."""
        done = 0

        def tick(new: int) -> None:
            nonlocal done
            done += new
            self.notify({"event": "part", "what": what, "done": done, "of": of})

        return tick

    def _decode(self, rows: list[Row], count: int, tick: Tick) -> None:
        from instructune.answering.decoding import Settings, decode
        from instructune.memory import memory_errors

        tokens = 0

        def tell(new: int) -> None:
            nonlocal tokens
            tokens += new
            unfinished = sum(row.finish_reason is None for row in rows)
            tick(count - unfinished, tokens)

        config = self.config
        settings = Settings(config.temperature, config.top_p, config.top_k, config.logprobs)
        with memory_errors():
            decode(self.model, rows, self.stops, settings, config.batch_size, tell)

    def _row(self, prompt: Prompt) -> Row:
        from instructune.answering.decoding import Row

        ids = self.prompt_ids(prompt.record, self.tokenizer)
        room = self.config.max_new_tokens
        if self.limit is not None and self.role.head.kind == "causal":
            room = min(room, self.limit - len(ids))
        elif self.limit is not None and len(ids) > self.limit:
            raise UserError(f"a prompt of {len(ids)} tokens is longer than {self.limit}")
        if not ids:
            raise UserError("the prompt is empty")
        if room < 1:
            raise UserError(
                f"a prompt of {len(ids)} tokens leaves no room for an answer within {self.limit}"
            )
        key = f"{self.config.seed}\0{prompt.record['id']}\0{prompt.sample}"
        return Row(ids, room, key, self.stopping.ended if self.config.stop else None)

    def _completion(self, row: Row, prompt: Prompt) -> Completion:
        if row.finish_reason == "error":
            reason = f"the model's output is not finite, at token {len(row.ids) + 1}"
            return Completion(None, "error", len(row.prompt), len(row.ids), reason)
        assert row.finish_reason
        text, _ = self.stopping.cut(row.ids)
        measured: dict[str, Any] = (
            {"token_logprobs": self._told(row)} if self.config.logprobs else {}
        )
        if self.explained:
            ids = row.ids if row.stop is None else [*row.ids, row.stop]
            measured["explanation"] = self.why(self._case(prompt.record, row.prompt, ids, text))
        return Completion(text, row.finish_reason, len(row.prompt), len(row.ids), measured=measured)

    def _labelled(self, label: Completion, prompt: Prompt) -> Completion:
        """A label that was chosen, not written, with its explanation where one is asked for."""
        if not self.explained or label.text is None:
            return label
        ids, start = self.measures.sequence(prompt.record, label.text)
        why = self.why(self._case(prompt.record, ids[:start], ids[start:], label.text))
        return label._replace(measured={"explanation": why})

    def _case(self, record: Record, prompt: list[int], answer: list[int], text: str) -> Case:
        """A text to be explained, from what its model read before it or beside it."""
        beside = getattr(self.plug_in, "target", None)
        if beside is None:
            return Case(record, prompt, answer, text)
        return Case(record, prompt, [], text, beside(record, prompt, answer))

    def why(self, case: Case) -> dict[str, Any]:
        """The field `explanation` of an answer."""
        from instructune.memory import memory_errors

        assert self.explained
        with memory_errors():
            return self.explained(case)

    def _told(self, row: Row) -> list[list[Any]]:
        """The answer's tokens as they stand in the vocabulary, and what each was worth."""
        tokens = [self.tokenizer.token(i) for i in row.ids]
        ended = [""] * (len(row.logprobs) - len(tokens))  # by a token that is not in the answer
        return [[token, value] for token, value in zip(tokens + ended, row.logprobs, strict=True)]


def _likeliest(fields: Mapping[str, Any]) -> Completion:
    """The answer of a model that is not to write any: the label it finds likeliest, or nothing."""
    scores: dict[str, float] = fields.get("label_scores", {})
    return Completion(max(scores, key=scores.__getitem__, default=""), "stop")
