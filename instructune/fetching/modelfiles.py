"""What `-m` names -> a plain Hugging Face folder on this machine, wherever it came from."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from instructune import lineage, rundir
from instructune.architectures import Head, stored_head
from instructune.errors import Exit, UserError, usage
from instructune.fetching import ggufs, hub, modelcache, modelconfigs, presets, pypi, weightfiles
from instructune.fetching.modelcache import Notify
from instructune.files import sha256_file
from instructune.rundir import RunDir


class Base(NamedTuple):
    """The model that an adapter was trained on."""

    name: str
    fingerprint: str


class Layer(NamedTuple):
    """An adapter that is part of a base: its folder, and the top of the model it was trained in."""

    folder: Path
    head: Head


@dataclass(frozen=True)
class ModelFiles:
    """A model as files; nothing of it has been loaded."""

    name: str
    """as typed"""
    folder: Path
    """config.json, model.safetensors (or shards), and with most models tokenizer.json and
    tokenizer_config.json, generation_config.json, chat_template.jinja"""
    adapter: Path | None
    """a folder that peft reads, to be applied to the model in `folder`"""
    random: bool
    """a preset: `folder` holds no weights, they are drawn when it is loaded"""
    fingerprint: str
    """16 hex digits that name the weights, and the config they are used with"""
    run: Path | None
    """the run directory it came from"""
    head: Head
    """what is on top of the model"""
    seed: int | None = None
    """what the random weights under a run's adapter were drawn from"""
    layers: tuple[Layer, ...] = ()
    """adapters below `adapter` that belong in the weights, the lowest first"""
    base: Base | None = None
    """what is under `adapter`"""

    @property
    def is_drawn(self) -> bool:
        """Whether all its weights are random: nothing was learned yet."""
        return self.random and not self.layers and self.adapter is None

    @property
    def folders(self) -> list[Path]:
        """All folders that make up the model, the topmost first."""
        own = [self.adapter] if self.adapter else []
        return [*own, *(layer.folder for layer in reversed(self.layers)), self.folder]

    @property
    def tokenizer(self) -> Path:
        """The folder to read the tokenizer from: the topmost that brought one."""
        own = (f for f in self.folders if (f / "tokenizer.json").is_file())
        return next(own, self.folder)

    def as_base(self) -> ModelFiles:
        """The same model to be trained: what its adapter does belongs in the weights."""
        if self.adapter is None:
            return self
        return replace(
            self, adapter=None, layers=(*self.layers, Layer(self.adapter, self.head)), base=None
        )


def resolve(spec: str, notify: Notify | None = None) -> ModelFiles:
    """The files of a preset, alias, `pypi:PACKAGE`, run, folder, .gguf file, or Hub id.

    Downloads and conversions happen once, and `notify` hears of them. torch is loaded only to
    convert a GGUF file. Raises 66 where nothing is found, 69 where the network would be needed.
    """
    return _resolve(_Asked(spec, notify or (lambda text: None)))


class _Asked(NamedTuple):
    spec: str
    tell: Notify
    above: tuple[Path, ...] = ()
    """the adapters it is wanted under, which it may not stand on in turn"""


def _resolve(asked: _Asked) -> ModelFiles:
    spec = asked.spec
    if spec in presets.CONFIGS:
        folder = presets.preset_folder(spec, asked.tell)
        head = stored_head(modelconfigs.read_config(folder))
        return ModelFiles(spec, folder, None, True, presets.fingerprint(spec), None, head)
    if spec in pypi.ALIASES or spec.startswith(pypi.PREFIX):
        folder, key = pypi.model_folder(spec, asked.tell)
        return _plain(spec, folder, key[:16])
    if not spec:
        raise usage("names no model", where="--model")
    path = Path(spec)
    if _exists(path, spec):
        return _local(asked, path)
    if hub.is_id(spec) and not _is_misspelt(spec):
        try:
            return _folder(asked, hub.snapshot(spec, asked.tell))
        except UserError as error:
            raise _with_hint(error, spec) from None
    reason = (
        f"no such preset ({', '.join(presets.CONFIGS)}), alias ({', '.join(pypi.ALIASES)}) or path"
    )
    raise _with_hint(UserError(reason, where=spec, code=Exit.NO_INPUT), spec)


def _exists(path: Path, spec: str) -> bool:
    try:
        return path.exists()
    except OSError as error:
        if isinstance(error, PermissionError):
            raise UserError("not readable", where=spec, code=Exit.PERMISSION) from None
        return False  # too long a name for a file


def _named() -> list[str]:
    return [*presets.CONFIGS, *pypi.ALIASES]


def _is_misspelt(spec: str) -> bool:
    """A bare name that looks like one of ours is not worth a question to the Hub."""
    return "/" not in spec and bool(difflib.get_close_matches(spec, _named(), n=1, cutoff=0.8))


def _with_hint(error: UserError, spec: str) -> UserError:
    """The error, with the nearest preset or neighbouring path as its hint if one is near."""
    beside: list[str] = []
    with suppress(OSError):
        beside = [str(path) for path in Path(spec).parent.iterdir()]
    near = difflib.get_close_matches(spec, _named() + beside, n=1, cutoff=0.75)
    hint = f"did you mean {near[0]!r}?" if near else error.hint
    return UserError(error.reason, where=error.where, hint=hint, code=error.code)


def _local(asked: _Asked, path: Path) -> ModelFiles:
    if path.is_file():
        if ggufs.is_gguf(path):
            return _gguf(asked, path)
        hint = "name its folder" if path.suffix in (".safetensors", ".json") else None
        raise UserError("is neither a folder nor a GGUF file", where=asked.spec, hint=hint)
    if (path / rundir.RUN).is_file():
        return _run(asked, path)
    return _folder(asked, path)


def _gguf(asked: _Asked, path: Path) -> ModelFiles:
    key = sha256_file(path)

    def build(folder: Path) -> None:
        from instructune.fetching.dequantization import convert

        asked.tell("converting GGUF to safetensors, once")
        convert(path, folder)

    return _plain(asked.spec, modelcache.entry(key, build, asked.tell), key[:16])


def _folder(asked: _Asked, path: Path) -> ModelFiles:
    """A folder as transformers or peft writes it."""
    if (path / "adapter_config.json").is_file():
        config = modelconfigs.read_document(path / "adapter_config.json")
        base = _base(asked, config.get("base_model_name_or_path"), path)
        if base.random:
            raise UserError(
                f"its base model {base.name!r} has random weights, and their seed is not known",
                where=asked.spec,
                hint="name the run directory, whose run.json has it",
                code=Exit.MISMATCH,
            )
        return _adapted(asked, path, base, base.head)
    return _plain(asked.spec, path)


def _plain(spec: str, path: Path, fingerprint: str | None = None) -> ModelFiles:
    """A folder with all its weights in it, checked as far as that goes without loading them."""
    config = modelconfigs.read_config(path)
    weights = weightfiles.weight_files(path)
    for name in ("tokenizer_config.json", "generation_config.json"):
        if (path / name).is_file():
            modelconfigs.read_document(path / name)
    if fingerprint is None:
        digests = {p.name: weightfiles.digest(p) for p in weights}
        identity = {"config": modelconfigs.identity(config), "weights": digests}
        fingerprint = lineage.fingerprint(identity)
    return ModelFiles(spec, path, None, False, fingerprint, None, stored_head(config))


def _run(asked: _Asked, path: Path) -> ModelFiles:
    document = RunDir(path).document() or {}
    adapter, model = path / rundir.ADAPTER, path / rundir.MODEL
    if adapter.is_dir():
        base = _base(asked, document.get("base"), path)
        trained_on = document.get("fingerprints", {}).get("model")
        if trained_on not in (None, base.fingerprint):
            raise UserError(
                f"its base model {base.name!r} has other weights than those it was trained on",
                where=asked.spec,
                hint=f"their fingerprint was {trained_on} and is {base.fingerprint}",
                code=Exit.MISMATCH,
            )
        if base.random and base.seed is None:
            base = replace(base, seed=document.get("base_seed", document.get("seed")))
        return replace(_adapted(asked, adapter, base, _head(document) or base.head), run=path)
    if model.is_dir():
        plain = _plain(asked.spec, model)
        return replace(plain, run=path, head=_head(document) or plain.head)
    raise UserError(
        f"the run has no model yet (state: {document.get('state', 'unknown')})",
        where=asked.spec,
        hint="the same train command goes on from its last checkpoint",
        code=Exit.NO_INPUT,
    )


def _head(document: Mapping[str, Any]) -> Head | None:
    """The head that a run says it trained."""
    said = document.get("answers", {}).get("head")
    return Head(**(said | {"labels": tuple(said["labels"])})) if said else None


def _base(asked: _Asked, base: object, beside: Path) -> ModelFiles:
    """The model under the adapter `asked`; its path may also be meant from the adapter's place."""
    if not isinstance(base, str) or not base:
        raise UserError("names no base model", where=asked.spec, code=Exit.MISMATCH)
    above = (*asked.above, beside.resolve())
    if base not in _named() and not Path(base).exists() and (beside.parent / base).exists():
        base = str(beside.parent / base)
    if Path(base).resolve() in above:
        raise UserError("is in the end its own base model", where=asked.spec, code=Exit.MISMATCH)
    try:
        return _resolve(_Asked(base, asked.tell, above)).as_base()
    except UserError as error:
        reason = f"its base model {base!r}: {error.reason}"
        raise UserError(reason, where=asked.spec, hint=error.hint, code=error.code) from None


def _adapted(asked: _Asked, adapter: Path, base: ModelFiles, head: Head) -> ModelFiles:
    weights = weightfiles.weight_files(adapter, weightfiles.ADAPTER)
    config = modelconfigs.read_document(adapter / "adapter_config.json")
    identity = {
        "base": base.fingerprint,
        "seed": base.seed,
        "config": modelconfigs.identity(config),
        "weights": {p.name: weightfiles.digest(p) for p in weights},
    }
    return replace(
        base,
        name=asked.spec,
        adapter=adapter,
        fingerprint=lineage.fingerprint(identity),
        head=head,
        base=Base(base.name, base.fingerprint),
    )
