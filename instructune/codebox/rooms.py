"""A root directory of its own that holds Python and nothing of the user's, all of it read-only."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from instructune.codebox import syscalls
from instructune.codebox.syscalls import (
    BIND,
    MOVE,
    NEW_HOSTNAME,
    NEW_IPC,
    NEW_MOUNTS,
    NEW_NETWORK,
    NEW_PIDS,
    NEW_USERS,
    NO_DEVICES,
    NO_EXEC,
    NO_SETUID,
    PRIVATE,
    READ_ONLY,
    RECURSIVE,
    REMOUNT,
    mount,
)

FRESH = NEW_MOUNTS | NEW_HOSTNAME | NEW_IPC | NEW_NETWORK | NEW_PIDS
_SYSTEM = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/ld.so.cache"]
_DEVICES = ["null", "zero", "full", "random", "urandom"]
_KEPT_FLAGS = READ_ONLY | NO_SETUID | NO_DEVICES | NO_EXEC | 1024 | 2048  # atimes
_RELATIVE_TIMES, _STAT_RELATIVE_TIMES = 1 << 21, 4096


def leave() -> bool:
    """Move into fresh namespaces; the next child is process 1 of its own.

    Whether this is root's way. An ordinary user, or root in a container that lacks the right,
    becomes the only member of a user namespace first.
    """
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        try:
            syscalls.unshare(FRESH)
        except PermissionError:
            pass
        else:
            return True
    syscalls.unshare(FRESH | NEW_USERS)
    with suppress(FileNotFoundError):
        Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    return False


def furnish(folders: list[str]) -> None:
    """Exchange the root for an empty one with `folders`, the system's programs and a few devices.

    What is not bound into it cannot be named any more: homes, data, sockets, /proc and /sys.
    """
    mount("", "/", flags=RECURSIVE | PRIVATE)
    mount("tmpfs", "/tmp", "tmpfs", NO_SETUID | NO_DEVICES, "size=1m,mode=755")
    os.chdir("/tmp")
    for name in ("old", "new"):
        Path(name).mkdir()
    syscalls.pivot_root(".", "old")
    os.chdir("/")
    mount("tmpfs", "/new", "tmpfs", NO_SETUID | NO_DEVICES, "size=1m,mode=755")
    for place in _outermost([*_SYSTEM, *folders]):
        _bind(place)
    for name in _DEVICES:
        _bind_file(f"/dev/{name}")
    for name in ("tmp", "scratch"):
        Path(f"/new/{name}").mkdir(exist_ok=True)
    _seal()
    os.chdir("/new")
    syscalls.pivot_root(".", ".")
    syscalls.detach(".")
    os.chdir("/")
    mount("", "/", flags=REMOUNT | BIND | READ_ONLY | NO_SETUID | NO_DEVICES)


def python_folders() -> list[str]:
    """Where this Python and its packages are."""
    found = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, *sys.path]
    return [os.path.realpath(place) for place in found if Path(place).is_dir()]


def _outermost(places: list[str]) -> list[str]:
    """Those that exist, without what is inside another; never the whole root."""
    return _without_inner(p for p in places if p != "/" and os.path.lexists(f"/old{p}"))


def _without_inner(places: Iterable[str]) -> list[str]:
    """Those that are not inside another."""
    here = sorted(set(places))
    return [p for p in here if not any(p.startswith(f"{other}/") for other in here)]


def _bind(place: str) -> None:
    source, target = Path(f"/old{place}"), Path(f"/new{place}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():  # /bin is a link to usr/bin nowadays
        target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir()
        mount(str(source), str(target), flags=BIND | RECURSIVE)
    else:
        _bind_file(place)


def _bind_file(place: str) -> None:
    target = Path(f"/new{place}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    mount(f"/old{place}", str(target), flags=BIND)


def _seal() -> None:
    """Make every mount of the new root read-only, those inside others included."""
    lines = Path("/old/proc/self/mountinfo").read_bytes().splitlines()
    for place in (_unescaped(line.split(b" ")[4]) for line in lines):
        if place.startswith("/new/"):
            told = os.statvfs(place).f_flag
            kept = told & _KEPT_FLAGS
            kept |= _RELATIVE_TIMES if told & _STAT_RELATIVE_TIMES else 0
            devices = 0 if place.startswith("/new/dev/") else NO_DEVICES
            mount("", place, flags=REMOUNT | BIND | READ_ONLY | NO_SETUID | devices | kept)


def _unescaped(path: bytes) -> str:
    """A path of mountinfo, where blanks are told in octal."""
    return os.fsdecode(re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), path))


def private_tmp(megabytes: int) -> None:
    """An empty working directory of limited size at /tmp, but for Python where it lies in there."""
    data = f"size={megabytes}m,nr_inodes=4096,mode=1777"
    mount("tmpfs", "/scratch", "tmpfs", NO_SETUID | NO_DEVICES, data)
    for place in _without_inner(p for p in python_folders() if p.startswith("/tmp/")):
        above = Path("/scratch")
        for name in Path(place).relative_to("/tmp").parts:
            above /= name
            above.mkdir(0o555, exist_ok=True)
        mount(place, str(above), flags=BIND | RECURSIVE)  # as read-only as it is
    mount("/scratch", "/tmp", flags=MOVE)
    os.chdir("/tmp")
