"""Linux system calls that Python 3.11 does not offer: namespaces, mounts, privileges."""

from __future__ import annotations

import ctypes
import os

NEW_MOUNTS, NEW_HOSTNAME, NEW_IPC = 0x00020000, 0x04000000, 0x08000000
NEW_USERS, NEW_PIDS, NEW_NETWORK = 0x10000000, 0x20000000, 0x40000000

READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC = 1, 2, 4, 8
REMOUNT, BIND, MOVE, RECURSIVE, PRIVATE = 32, 4096, 8192, 16384, 1 << 18
_DETACH = 2

_SET_DUMPABLE, _CAPBSET_DROP, _SET_NO_NEW_PRIVS = 4, 24, 38
_CAPABILITY_VERSION = 0x20080522
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p] + [
    ctypes.c_ulong,
    ctypes.c_char_p,
]


def _checked(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave these namespaces for fresh ones."""
    _checked(_libc.unshare(flags), f"unshare {flags:#x}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount, bind or remount, as mount(2)."""
    texts = (os.fsencode(source), os.fsencode(target), kind.encode() or None)
    done = _libc.mount(*texts, flags, data.encode() or None)
    _checked(done, f"mount {target}")


def detach(target: str) -> None:
    """Unmount everything at and under `target`."""
    _checked(_libc.umount2(os.fsencode(target), _DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root and put the former one at `old`."""
    machine = os.uname().machine
    if machine not in _PIVOT_ROOT:
        raise OSError(f"no sandbox for {machine} processors")
    number = _PIVOT_ROOT[machine]
    done = _libc.syscall(number, os.fsencode(new), os.fsencode(old))
    _checked(done, f"pivot_root {new}")


def prctl(option: int, value: int = 0, more: object = 0) -> None:
    """Change how the kernel treats this process, as prctl(2)."""
    _checked(_libc.prctl(option, ctypes.c_ulong(value), more, 0, 0), f"prctl {option}")


def no_new_privileges() -> None:
    """No program started from here gains anything by setuid bits or file capabilities."""
    prctl(_SET_NO_NEW_PRIVS, 1)


def not_dumpable() -> None:
    """No core dump, and no tracing by processes of the same user."""
    prctl(_SET_DUMPABLE, 0)


def drop_bounding_set() -> None:
    """Give up every capability for good; those in use stay until `drop_capabilities`."""
    for capability in range(64):
        try:
            prctl(_CAPBSET_DROP, capability)
        except OSError:
            return  # beyond the last one that this kernel has


def drop_capabilities() -> None:
    """Give up the capabilities in use."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")
