"""A filter of system calls: those that no program to be tested needs, and exploits begin with."""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from instructune.codebox.syscalls import prctl

_SET_SECCOMP, _FILTER = 22, 2
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_X32 = 0x40000000  # a second numbering of calls on x86_64
_NEW_ANYTHING = 0x7E020080  # flags of clone that make a namespace
_NO_CLONE3 = 435  # its flags are out of a filter's sight; C libraries fall back on clone

_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}

# numbered alike on both: io_uring, mounts by descriptor, pidfd_getfd, memfd_secret
_DENIED_BOTH = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 447]
# by name, x86_64, aarch64
_DENIED = """
acct 163 89
add_key 248 217
adjtimex 159 171
bpf 321 280
chroot 161 51
clock_adjtime 305 266
clock_settime 227 112
delete_module 176 106
finit_module 313 273
init_module 175 105
kcmp 312 272
kexec_file_load 320 294
kexec_load 246 104
keyctl 250 219
memfd_create 319 279
mknodat 259 33
mount 165 40
name_to_handle_at 303 264
open_by_handle_at 304 265
perf_event_open 298 241
personality 135 92
pivot_root 155 41
process_vm_readv 310 270
process_vm_writev 311 271
ptrace 101 117
quotactl 179 60
reboot 169 142
request_key 249 218
setdomainname 171 162
sethostname 170 161
setns 308 268
settimeofday 164 170
swapoff 168 225
swapon 167 224
syslog 103 116
umount2 166 39
unshare 272 97
userfaultfd 323 282
vhangup 153 58
"""
_DENIED_X86 = [133, 154, 172, 173]  # mknod, modify_ldt, iopl, ioperm


def denied(machine: str) -> list[int]:
    """The numbers of the calls that fail with EPERM."""
    column = {"x86_64": 1, "aarch64": 2}[machine]
    numbers = [int(line.split()[column]) for line in _DENIED.strip().splitlines()]
    return sorted(numbers + _DENIED_BOTH + (_DENIED_X86 if machine == "x86_64" else []))


def program(machine: str) -> bytes:
    """The filter as classic BPF: (code, jump if true, jump if false, operand) a step."""
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        steps += [(_AT_LEAST, 0, 1, _X32), refuse]
    for number in denied(machine):
        steps += [(_EQUAL, 0, 1, number), refuse]
    steps += [(_EQUAL, 0, 1, _NO_CLONE3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    steps += [(_EQUAL, 0, 3, _CLONE[machine]), (_LOAD, 0, 0, _FIRST_ARGUMENT)]
    steps += [(_ANY_BIT, 0, 1, _NEW_ANYTHING), refuse]
    return b"".join(struct.pack("HBBI", *step) for step in [*steps, (_RETURN, 0, 0, _ALLOW)])


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def restrict() -> None:
    """Filter this process's calls and its children's, for good; needs no_new_privileges."""
    steps = program(os.uname().machine)
    prctl(_SET_SECCOMP, _FILTER, ctypes.byref(_Program(len(steps) // 8, steps)))
