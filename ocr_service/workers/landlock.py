"""Landlock: this process, and what it starts, sees of the disk only what it is given, connects to no TCP port and signals nobody outside.

Kernel 5.13 has the first version; each later one can forbid more. See landlock(7) and linux/landlock.h, whose names these are.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE = 1 << 4, 1 << 5
_MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_READ = _READ_FILE | _READ_DIR
_WRITE = _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
# What the versions know, by the first that does.
_RIGHTS = {
    1: _READ | _EXECUTE | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE
    | _MAKE_CHAR | _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_BLOCK | _MAKE_SYM,
    2: _REFER,
    3: _TRUNCATE,
    5: _IOCTL_DEV,
}  # fmt: skip
_NETWORK_SINCE, _BIND_TCP, _CONNECT_TCP = 4, 1 << 0, 1 << 1
_SCOPES_SINCE, _SCOPE_ABSTRACT_UNIX_SOCKET, _SCOPE_SIGNAL = 6, 1 << 0, 1 << 1


@dataclass(frozen=True, slots=True)
class View:
    """What is left of the disk. `devices`: files that are read, written and spoken to by ioctl; `execute`: whether programs are started."""

    readable: Sequence[Path]
    writable: Sequence[Path]
    devices: Sequence[Path] = ()
    execute: bool = False


def version() -> int:
    """What the kernel offers here; 0: nothing."""
    found: int = _libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_CREATE_RULESET_VERSION))
    return max(0, found)


def restrict(view: View) -> None:
    """For good, for this thread and those to come; PR_SET_NO_NEW_PRIVS has to be set. Missing paths are left out. Raises OSError."""
    known = version()
    handled = _rights(known)
    ruleset = _checked(_libc().syscall(_CREATE_RULESET, *_attributes(known, handled), ctypes.c_uint32(0)))
    try:
        _allow(ruleset, view.readable, (_READ | (_EXECUTE if view.execute else 0)) & handled)
        _allow(ruleset, view.writable, (_READ | _WRITE) & handled)
        _allow(ruleset, view.devices, (_READ | _WRITE | _IOCTL_DEV) & handled)
        _checked(_libc().syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)))
    finally:
        os.close(ruleset)


def _rights(known: int) -> int:
    rights = 0
    for since, added in _RIGHTS.items():
        rights |= added if known >= since else 0
    return rights


def _attributes(known: int, handled: int) -> tuple[ctypes.Array[ctypes.c_char], ctypes.c_size_t]:
    """struct landlock_ruleset_attr, as long as this kernel knows it. All of TCP is refused: nothing of it is ever allowed."""
    fields = [handled]
    if known >= _NETWORK_SINCE:
        fields.append(_BIND_TCP | _CONNECT_TCP)
    if known >= _SCOPES_SINCE:
        fields.append(_SCOPE_ABSTRACT_UNIX_SOCKET | _SCOPE_SIGNAL)
    packed = struct.pack(f"={len(fields)}Q", *fields)
    return ctypes.create_string_buffer(packed, len(packed)), ctypes.c_size_t(len(packed))


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        try:
            handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            beneath = struct.pack("=Qi", rights if is_folder else rights & _OF_A_FILE, handle)
            _checked(_libc().syscall(_ADD_RULE, ctypes.c_int(ruleset), _RULE_PATH_BENEATH, beneath, ctypes.c_uint32(0)))
        finally:
            os.close(handle)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock: {os.strerror(number)}")
    return result


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
