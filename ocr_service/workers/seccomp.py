"""A seccomp filter: the system calls that no page needs are refused, sockets above all.

Written as BPF by hand: twenty instructions are less to trust than a library of the system that may be missing. See seccomp(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_PR_SET_SECCOMP, _MODE_FILTER = 22, 2
_ALLOW, _ERRNO, _KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JMP|JGE|K, JMP|JSET|K, RET|K
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_X32 = 0x40000000
_CLONE_THREAD = 0x00010000
_AF_UNIX, _AF_NETLINK = 1, 16


@dataclass(frozen=True, slots=True)
class _Machine:
    """An architecture's own number, and those of its system calls; `forks` make processes and nothing else."""

    audit: int
    socket: int
    clone: int
    clone3: int
    forks: tuple[int, ...]
    refused: tuple[int, ...]


_MACHINES = {
    # ptrace, process_vm_readv, process_vm_writev, io_uring_setup (makes sockets without socket()), bpf, perf_event_open, userfaultfd,
    # add_key, request_key, keyctl, mount, umount2, pivot_root, chroot, setns, unshare, pidfd_getfd, pidfd_open
    "x86_64": _Machine(
        0xC000003E, socket=41, clone=56, clone3=435, forks=(57, 58),
        refused=(101, 310, 311, 425, 321, 298, 323, 248, 249, 250, 165, 166, 155, 161, 308, 272, 438, 434),
    ),
    "aarch64": _Machine(
        0xC00000B7, socket=198, clone=220, clone3=435, forks=(),
        refused=(117, 270, 271, 425, 280, 241, 282, 217, 218, 219, 40, 39, 41, 51, 268, 97, 438, 434),
    ),
}  # fmt: skip


def available() -> bool:
    """Whether there is a filter for this machine."""
    return platform.machine() in _MACHINES


def restrict(*, processes: bool) -> None:
    """For good, for this thread and those to come; PR_SET_NO_NEW_PRIVS has to be set. Raises OSError.

    `processes`: whether others may be started, and spoken to by local sockets; that is what the libraries of a GPU do.
    """
    program = _program(_MACHINES[platform.machine()], processes=processes)
    instructions = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), header, ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"seccomp: {os.strerror(number)}")


def _program(machine: _Machine, *, processes: bool) -> bytes:
    """The filter. Jumps are counted from the next instruction."""
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    code = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_EQUAL, machine.audit, if_true=1),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD, _NUMBER_AT),
        _instruction(_AT_LEAST, _X32, if_false=1),
        refuse,
    ]
    for number in (*machine.refused, *(() if processes else machine.forks)):
        code += [_instruction(_EQUAL, number, if_false=1), refuse]
    if processes:
        code += [
            _instruction(_EQUAL, machine.socket, if_false=4),
            _instruction(_LOAD, _FIRST_ARGUMENT_AT),
            _instruction(_EQUAL, _AF_UNIX, if_true=2),
            _instruction(_EQUAL, _AF_NETLINK, if_true=1),
            refuse,
        ]
    else:
        code += [
            _instruction(_EQUAL, machine.socket, if_false=1),
            refuse,
            # Its flags lie in memory, where a filter cannot look: the C library takes the older call when there is none.
            _instruction(_EQUAL, machine.clone3, if_false=1),
            _instruction(_RETURN, _ERRNO | errno.ENOSYS),
            _instruction(_EQUAL, machine.clone, if_false=3),
            _instruction(_LOAD, _FIRST_ARGUMENT_AT),
            _instruction(_HAS_BITS, _CLONE_THREAD, if_true=1),
            refuse,
        ]
    return b"".join([*code, _instruction(_RETURN, _ALLOW)])


def _instruction(code: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
