"""What a worker does to itself before it touches a file: dies with its parent, dumps no core, hears no signal, keeps its pipes apart."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from pathlib import Path
from typing import BinaryIO

PR_SET_PDEATHSIG = 1
# The kernel's victim, when memory runs out, shall be a worker and not the service.
OOM_SCORE_ADJUSTMENT = "500"


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


def _be_the_first_to_go() -> None:
    try:
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE_ADJUSTMENT, encoding="ascii")
    except OSError:
        # Some container runtimes mount /proc read-only; the worker is no less safe for it.
        return
