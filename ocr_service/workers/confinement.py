"""What a worker does to itself before it touches a file: dies with its parent, dumps no core, hears no signal, keeps its pipes apart, and
puts up the walls that the kernel has: no network, no other processes, and of the disk only what it needs.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from ocr_service.workers import landlock, seccomp
from ocr_service.workers.config import Confinement, ConfinementMode

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
# The kernel's victim, when memory runs out, shall be a worker and not the service.
OOM_SCORE_ADJUSTMENT = "500"


# Programs, libraries, fonts, languages, and what the kernel tells; no home, no /run, no /var, where secrets and other programs' data are.
_OF_THE_SYSTEM = tuple(map(Path, ("/usr", "/lib", "/lib64", "/bin", "/opt", "/etc", "/sys", "/dev")))
# Of /proc what tells of the machine: a process of the same user could else read the service's environment, and its secrets with it.
_OF_PROC = tuple(Path("/proc", name) for name in ("cpuinfo", "meminfo", "stat", "version", "filesystems", "devices", "sys", "driver"))
_OWN_PROC = Path("/proc/self")
_HARMLESS_DEVICES = (Path("/dev/null"),)
_GPU_DEVICES = (Path("/dev"),)

NO_NEW_PRIVILEGES, SECCOMP, LANDLOCK = "no_new_privileges", "seccomp", "landlock"
MECHANISMS = (NO_NEW_PRIVILEGES, SECCOMP, LANDLOCK)


class ParentGone(Exception):
    """The service died before the worker was set up."""


def take_over_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the protocol from standard input and output to descriptors that no library knows; returns (requests, replies).

    From then on reading standard input finds nothing, and what is printed goes to standard error.
    """
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(requests, "rb"), os.fdopen(replies, "wb")


def confine(parent_pid: int) -> None:
    """Tie this process to its parent. Raises ParentGone."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        raise ParentGone
    # When to stop is the parent's decision: it ends the input, or kills.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.umask(0o027)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _be_the_first_to_go()


def limit_data(limit_bytes: int) -> None:
    """Bound heap and private mappings: what grows faster than the parent can watch fails here. Mapped model files do not count."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = limit_bytes if hard == resource.RLIM_INFINITY else min(limit_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def available() -> tuple[str, ...]:
    """The mechanisms that this machine has, as far as can be said without using them."""
    has = {NO_NEW_PRIVILEGES: True, SECCOMP: seccomp.available(), LANDLOCK: landlock.version() > 0}
    return tuple(name for name in MECHANISMS if has[name])


def wall_off(confinement: Confinement, scratch: Path, readable: Sequence[Path]) -> tuple[str, ...]:
    """Put up the walls; returns those that stand. `scratch`: the only folder that can be written to from now on.

    Every thread of the process must have been started after this. Raises OSError where a wall cannot be had and all are required.
    """
    if confinement.mode is ConfinementMode.OFF:
        return ()
    resource.setrlimit(resource.RLIMIT_FSIZE, (confinement.file_limit_bytes, confinement.file_limit_bytes))
    view = landlock.View(
        readable=(*_OF_THE_SYSTEM, *_OF_PROC, _OWN_PROC, *_of_python(), *confinement.readable, *readable),
        writable=(scratch, *_HARMLESS_DEVICES),
        devices=_GPU_DEVICES if confinement.devices else (),
        execute=confinement.devices,
    )
    # Its rule belongs to a file that the kernel may forget and make anew, unless somebody has it open.
    os.open(_OWN_PROC, os.O_PATH | os.O_CLOEXEC)
    walls: dict[str, Callable[[], None]] = {
        NO_NEW_PRIVILEGES: _renounce_privileges,
        LANDLOCK: lambda: landlock.restrict(view),
        # Last: it refuses what the others may need.
        SECCOMP: lambda: seccomp.restrict(processes=confinement.devices),
    }
    standing = []
    for name, put_up in walls.items():
        if name in available():
            try:
                put_up()
            except OSError:
                if confinement.mode is ConfinementMode.REQUIRE:
                    raise
                continue
            standing.append(name)
        elif confinement.mode is ConfinementMode.REQUIRE:
            raise OSError(f"{name} is not to be had on this machine")
    return tuple(standing)


def _renounce_privileges() -> None:
    """Nothing that is started from now on has more rights than this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_NO_NEW_PRIVS)")


def _of_python() -> tuple[Path, ...]:
    """Where modules, and the interpreter's own files, lie."""
    return tuple({Path(entry) for entry in (*sys.path, sys.prefix, sys.base_prefix) if entry})


def _be_the_first_to_go() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE_ADJUSTMENT, encoding="ascii")
    except OSError:
        # Some container runtimes mount /proc read-only; the worker is no less safe for it.
        return
