"""Every setting of every step with its default, written once; None means "decided later".

A test compares these with the commands' options and with what the code reads.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from instructune.bounds import THREADS, between, check_bad_rows, choice, flag_of, least
from instructune.errors import usage

OVERFLOWS = ("error", "drop", "truncate-prompt", "truncate-answer", "split")
BY_DEFAULT = {"objective": "sft", "method": "full"}  # where no run says what it was trained by
_COUNTS_FOR_NOTHING = {"counts": False}  # in no artifact a bit depends on such a setting


@dataclass(frozen=True)
class PrepareConfig:
    """Settings of `prepare`."""

    sources: tuple[str, ...] = ()
    output: str = "-"
    container: str | None = None
    encoding: str | None = None
    format: str | None = None
    field: tuple[str, ...] = ()
    id: str = "own"
    transform: tuple[str, ...] = ()
    filter: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    ask: str | None = None
    accept: bool = False
    known: tuple[str, ...] = ()
    template: tuple[str, ...] = ()
    mix: tuple[str, ...] = ()
    mix_by: str = "rows"
    mix_total: int | None = None
    balance: str | None = None
    split: str | None = None
    exact: bool = False
    seed: int = 0
    explain: tuple[str, ...] = ()
    bad_rows: str = "fail"
    rejects: str | None = None
    dropped: str | None = None
    report: str | None = None
    model: str | None = None
    workers: int | None = dataclasses.field(default=None, metadata=_COUNTS_FOR_NOTHING)
    manifest: str | None = None

    def __post_init__(self) -> None:
        choice("--id", self.id, ("own", "hash", "prefix"))
        check_bad_rows(self.bad_rows, self.rejects)
        least("--seed", self.seed, 0)
        between("--workers", self.workers, 1, 256)
        choice("--mix-by", self.mix_by, ("rows", "words", "tokens"))
        least("--mix-total", self.mix_total, 1)
        if not self.mix and (self.mix_total or self.mix_by != "rows"):
            raise usage("needs --mix", where="--mix-total" if self.mix_total else "--mix-by")
        most = (self.balance or "").partition("=")[2]
        if most and not (most.isdecimal() and int(most)):
            raise usage(f"expected FIELD or FIELD=MOST, got {self.balance!r}", where="--balance")
        if self.mix_by == "tokens" and not self.model:
            hint = "--model NAME: whose tokens, such as the model to be trained"
            raise usage("needs --model", where="--mix-by tokens", hint=hint)
        if self.model and not self.report and self.mix_by != "tokens":
            reason = "needs --report or --mix-by tokens: they count its tokens"
            raise usage(reason, where="--model")
        if self.ask and self.accept:
            raise usage("asks or accepts, not both at once", where="--ask")
        if self.known and not self.accept:
            raise usage("needs --accept: instructions must be new beside them", where="--known")
        if self.exact and self.split is None:
            raise usage("needs --split", where="--exact")
        if "{split}" in self.output and self.manifest:
            raise usage("each file of {split} has its own beside it", where="--manifest")


@dataclass(frozen=True)
class TrainConfig:
    """Settings of `train`."""

    data: tuple[str, ...] = ()
    model: str = "smollm2-135m"
    init_from: str | None = None
    output: str = "run"
    objective: str | None = None
    method: str | None = None
    replay: tuple[str, ...] = ()
    retain: tuple[str, ...] = ()
    eval_data: str | None = None
    epochs: float | None = None
    steps: int | None = None
    learning_rate: float | None = None
    optimizer: str = "adamw"
    schedule: str = "cosine"
    warmup: float = 0.03
    layer_decay: float = 1.0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    batch_size: int = 8
    micro_batch_tokens: int | None = None
    max_length: int | None = None
    overflow: str = "error"
    train_on: str = "assistant"
    template: str | None = None
    dropout: float | None = None
    label_smoothing: float = 0.0
    r_drop: float = 0.0
    neftune: float = 0.0
    adversarial: str | None = None
    ema: float | None = None
    swa: float | None = None
    eval_every: int | None = None
    eval_first: bool = False
    early_stopping: int | None = None
    checkpoint_every: int = 100
    keep_checkpoints: int = 2
    log_every: int = 1
    dtype: str = "auto"
    save_dtype: str | None = None
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    resume: str = "auto"
    overwrite: bool = False
    dry_run: bool = False
    format: str | None = None
    field: tuple[str, ...] = ()
    bad_rows: str = "fail"
    rejects: str | None = None
    track: tuple[str, ...] = dataclasses.field(default=(), metadata=_COUNTS_FOR_NOTHING)

    def __post_init__(self) -> None:
        choice("--overflow", self.overflow, OVERFLOWS)
        choice("--train-on", self.train_on, ("assistant", "last", "all"))
        choice("--dtype", self.dtype, ("auto", "float32", "bfloat16"))
        choice("--save-dtype", self.save_dtype or "float32", ("float32", "bfloat16", "float16"))
        choice("--resume", self.resume, ("auto", "never"))
        check_bad_rows(self.bad_rows, self.rejects)
        least("--epochs", self.epochs, 0, exclusive=True)
        least("--steps", self.steps, 1)
        least("--learning-rate", self.learning_rate, 0)
        between("--warmup", self.warmup, 0, 1)
        least("--weight-decay", self.weight_decay, 0)
        least("--max-grad-norm", self.max_grad_norm, 0, exclusive=True)
        least("--batch-size", self.batch_size, 1)
        least("--micro-batch-tokens", self.micro_batch_tokens, 1)
        least("--max-length", self.max_length, 2)
        between("--dropout", self.dropout, 0, 1)
        between("--layer-decay", self.layer_decay, 0, 1)
        between("--label-smoothing", self.label_smoothing, 0, 1)
        least("--r-drop", self.r_drop, 0)
        least("--neftune", self.neftune, 0)
        for flag, share in (("--ema", self.ema), ("--swa", self.swa)):
            if share is not None and not 0 <= share < 1:
                raise usage(f"must be from 0 to below 1, got {share}", where=flag)
        for name in ("eval_every", "early_stopping", "checkpoint_every", "keep_checkpoints"):
            least(flag_of(name), getattr(self, name), 1)
        least("--log-every", self.log_every, 1)
        between("--threads", self.threads, 1, THREADS)
        least("--seed", self.seed, 0)
        for name in ("early_stopping", "eval_first"):
            if getattr(self, name) and not self.eval_data:
                raise usage("needs --eval-data", where=flag_of(name))
        if self.init_from is not None and self.model != TrainConfig.model:
            raise usage("has its own base model; leave --model out", where="--init-from")
        if self.ema is not None and self.swa is not None:
            raise usage("is another average than --ema; give one of them", where="--swa")


@dataclass(frozen=True)
class GenerateConfig:
    """Settings of `generate`."""

    data: tuple[str, ...] = ()
    model: str = "smollm2-135m"
    output: str = "-"
    prompt: tuple[str, ...] = ()
    system: str | None = None
    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    samples: int = 1
    shots: int = 0
    examples: str | None = None
    shots_by: str = "fixed"
    score_references: bool = False
    label_scores: str | None = None
    logprobs: bool = False
    explain: str | None = None
    stop: tuple[str, ...] = ()
    batch_size: int = 24
    window: int | None = None
    max_length: int | None = None
    template: str | None = None
    backend: str = "transformers"
    base_url: str | None = None
    dtype: str = "auto"
    device: str = "auto"
    threads: int | None = None
    seed: int = 0
    overwrite: bool = False
    format: str | None = None
    field: tuple[str, ...] = ()
    manifest: str | None = None

    def __post_init__(self) -> None:
        choice("--dtype", self.dtype, ("auto", "float32", "bfloat16"))
        least("--max-new-tokens", self.max_new_tokens, 0)
        if not (self.max_new_tokens or self.score_references or self.label_scores):
            raise usage(
                "0 is for --score-references and --label-scores alone", where="--max-new-tokens"
            )
        if self.explain and not (self.max_new_tokens or self.label_scores):
            raise usage("needs answers: --max-new-tokens or --label-scores", where="--explain")
        least("--temperature", self.temperature, 0)
        between("--top-p", self.top_p, 0, 1)
        least("--top-k", self.top_k, 0)
        for name in ("samples", "batch_size", "window"):
            least(flag_of(name), getattr(self, name), 1)
        between("--threads", self.threads, 1, THREADS)
        least("--max-length", self.max_length, 2)
        least("--seed", self.seed, 0)
        least("--shots", self.shots, 0)
        choice("--shots-by", self.shots_by, ("fixed", "random", "nearest", "balanced"))
        if bool(self.shots) != (self.examples is not None):
            raise usage("--shots K and --examples FILE go together")
        if self.samples > 1 and self.temperature == 0:
            raise usage(
                "needs --temperature above 0: greedy samples are all equal", where="--samples"
            )
        if self.prompt and self.data:
            raise usage("is an input of its own; leave the data out", where="--prompt")


@dataclass(frozen=True)
class EvalConfig:
    """Settings of `eval`."""

    predictions: str | None = None
    references: str | None = None
    metric: tuple[str, ...] = ()
    baseline: str | None = None
    by: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    cluster: str | None = None
    adjust: str = "holm"
    fail_if: tuple[str, ...] = ()
    gates: str | None = None
    undecided: str = "pass"
    junit: str | None = None
    judge: tuple[str, ...] = ()
    criteria: str | None = None
    rater: str | None = None
    output: str = "-"
    scores: str | None = None
    allow_code: bool = False
    report: str | None = None
    resamples: int | None = None
    seed: int = 0
    manifest: str | None = None

    def __post_init__(self) -> None:
        choice("--adjust", self.adjust, ("holm", "bh", "none"))
        choice("--undecided", self.undecided, ("pass", "fail"))
        if self.junit and not (self.fail_if or self.gates):
            raise usage("needs --fail-if or --gates: it reports what they found", where="--junit")
        if self.criteria and not self.judge:
            raise usage("needs --judge ask", where="--criteria")
        if self.rater and not self.judge:
            raise usage("needs --judge human", where="--rater")
        between("--resamples", self.resamples, 100, 1_000_000)
        least("--seed", self.seed, 0)


@dataclass(frozen=True)
class SweepConfig:
    """Settings of `sweep`, which its file has in the table `[sweep]`."""

    output: str = "sweep"
    sampler: str = "tpe"
    trials: int | None = None
    seed: int = 0
    metric: str = "eval_loss"
    mode: str | None = None
    pruning: str = "none"
    min_steps: int | None = None
    reduction: int = 3
    workers: int = 1
    report: str | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        choice("--sampler", self.sampler, ("tpe", "random", "grid"))
        choice("--mode", self.mode or "min", ("min", "max"))
        choice("--pruning", self.pruning, ("none", "asha"))
        between("--trials", self.trials, 1, 100_000)
        least("--seed", self.seed, 0)
        least("--min-steps", self.min_steps, 1)
        between("--reduction", self.reduction, 2, 100)
        between("--workers", self.workers, 1, 256)
        if self.min_steps and self.pruning == "none":
            raise usage("needs --pruning asha", where="--min-steps")
        if self.metric == "eval_loss" and self.mode == "max":
            raise usage("a loss is minimised", where="--mode")


@dataclass(frozen=True)
class ShowConfig:
    """Settings of `show`."""

    path: str = "-"
    limit: int = 5
    baseline: str | None = None
    html: str | None = None
    profile: bool = False
    disagreements: bool = False
    mask: bool = False
    model: str | None = None
    train_on: str = "assistant"
    template: str | None = None
    max_length: int | None = None
    overflow: str = "error"

    def __post_init__(self) -> None:
        choice("--overflow", self.overflow, OVERFLOWS)
        choice("--train-on", self.train_on, ("assistant", "last", "all"))
        least("--limit", self.limit, 1)
        least("--max-length", self.max_length, 2)
        if self.mask and self.model is None:
            raise usage("needs --model", where="--mask")
        if self.html is not None and self.view:
            raise usage(f"shows explanations; leave {self.view} out", where="--html")
        if self.baseline is not None and self.mask:
            raise usage("shows answers, not tokens; leave --mask out", where="--baseline")
        others = {"--profile": self.profile, "--disagreements": self.disagreements}
        for flag, given in others.items():
            if given and flag != self.view:
                raise usage(f"cannot go with {self.view}", where=flag)

    @property
    def view(self) -> str | None:
        """The option that asks for something else than the first rows."""
        asked = {
            "--mask": self.mask,
            "--baseline": self.baseline is not None,
            "--profile": self.profile,
            "--disagreements": self.disagreements,
        }
        return next((flag for flag, given in asked.items() if given), None)
