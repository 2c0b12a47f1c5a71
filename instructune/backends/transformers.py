"""The model in this process, by torch and transformers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from instructune.completions import Completion, Prompt
from instructune.configs import GenerateConfig
from instructune.plan import limit_of
from instructune.environment import before_torch
from instructune.errors import Exit, UserError
from instructune.jsonl import load_document
from instructune.modelfiles import ModelFiles, resolve
from instructune.tokenizer import Tokenizer
from instructune.tokens import prompt_ids

if TYPE_CHECKING:
    from instructune.decoding import Row

Notify = Callable[[dict[str, Any]], None]


def connect(config: GenerateConfig, notify: Notify) -> Local:
    """Load the model that `config` names."""
    files = resolve(config.model, lambda text: notify({"event": "note", "text": text}))
    return Local(config, files)


class Local:
    """A model in memory that answers windows of prompts."""

    def __init__(self, config: GenerateConfig, files: ModelFiles) -> None:
        self.config, self.files = config, files
        self.fingerprint = files.fingerprint
        self.tokenizer = Tokenizer(files.adapter or files.folder, config.template)
        self._check_template(files)
        path = files.folder / "config.json"
        limit = limit_of(load_document(path.read_bytes(), str(path)))
        given = [n for n in (limit, config.max_length) if n is not None]
        self.limit = min(given) if given else None
        self._model: Any = None

    def _check_template(self, files: ModelFiles) -> None:
        """Answers to prompts the model was not trained with are no answers."""
        if files.run is None:
            return
        from instructune.rundir import open_run

        trained = open_run(files.run)[1]["fingerprints"]["tokenizer"]
        if trained != self.tokenizer.fingerprint:
            raise UserError(
                "the run was trained with another template or tokenizer",
                where=self.config.template and "--template" or str(files.run),
                hint="leave --template out to use the run's own",
                code=Exit.MISMATCH,
            )

    @property
    def model(self) -> Any:
        """The torch model, loaded at first use: prompts that cannot be rendered fail sooner."""
        if self._model is None:
            before_torch()
            from instructune import hardware
            from instructune.models import load_model

            hardware.use_threads(self.config.threads)
            device = hardware.device(self.config.device)
            dtype = hardware.dtype(self.config.dtype, device)
            self._model = load_model(
                self.files, dtype=dtype, seed=self.config.seed, device=str(device)
            ).eval()
        return self._model

    def complete(self, prompts: list[Prompt]) -> list[Completion]:
        """Answer in batches of like length; what is too long or refused becomes an error."""
        from instructune.decoding import Settings, decode

        answers: list[Completion | None] = [None] * len(prompts)
        rows: list[tuple[int, Row]] = []
        for i, prompt in enumerate(prompts):
            try:
                rows.append((i, self._row(prompt)))
            except UserError as error:
                answers[i] = Completion(None, "error", error=error.reason)
        rows.sort(key=lambda pair: -len(pair[1].prompt))
        settings = Settings(self.config.temperature, self.config.top_p, self.config.top_k)
        for start in range(0, len(rows), self.config.batch_size):
            batch = rows[start : start + self.config.batch_size]
            decode(
                self.model,
                [row for _, row in batch],
                self.tokenizer.stop_ids,
                settings,
                self.tokenizer.pad_id,
            )
            for i, row in batch:
                answers[i] = self._completion(row)
        return answers  # type: ignore[return-value]

    def _row(self, prompt: Prompt) -> Row:
        from instructune.decoding import Row

        ids = prompt_ids(prompt.record, self.tokenizer)
        room = self.config.max_new_tokens
        if self.limit is not None:
            room = min(room, self.limit - len(ids))
        if room < 1 or not ids:
            raise UserError(f"a prompt of {len(ids)} tokens leaves no room for an answer")
        key = f"{self.config.seed}\0{prompt.record['id']}\0{prompt.sample}"
        return Row(ids, room, key, self._stops_at if self.config.stop else None)

    def _stops_at(self, ids: list[int]) -> bool:
        """Whether the last tokens complete a stop string (no token is less than a byte)."""
        longest = max(len(stop.encode()) for stop in self.config.stop)
        tail = self.tokenizer.decode(ids[-longest - 4 :])
        return any(stop in tail for stop in self.config.stop)

    def _completion(self, row: Row) -> Completion:
        text = self.tokenizer.decode(row.ids)
        for stop in self.config.stop:
            text = text.partition(stop)[0]
        reason = row.finish_reason or "length"
        return Completion(text, reason, len(row.prompt), len(row.ids))
