"""Does what somebody would who has taken a worker over, and reports what came of it, as a page's warnings."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from ocr_service.domain.documents import PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from tests.faults.well_behaved import WellBehaved

_IO_URING_SETUP, _PTRACE_ATTACH = 425, 16


class TriesToBreakOut(WellBehaved):
    @override
    def analyse(self, source: SourceFile, page: int, options: PageOptions) -> PageAnalysis:
        folder, own = source.path.parent, Path(tempfile.gettempdir())
        port = int((folder / "port").read_text(encoding="ascii"))
        attempts: dict[str, Callable[[], object]] = {
            "tcp": lambda: socket.create_connection(("127.0.0.1", port), timeout=5),
            "tcp6": lambda: socket.socket(socket.AF_INET6),
            "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
            "unix socket": lambda: socket.socket(socket.AF_UNIX),
            "io_uring": lambda: _system_call(_IO_URING_SETUP, 1, ctypes.create_string_buffer(120)),
            "write a document": lambda: (folder / "document.md").write_text("forged", encoding="utf-8"),
            "make a file": (folder / "new").touch,
            "shorten a file": lambda: os.truncate(folder / "document.md", 0),
            "remove a file": (folder / "document.md").unlink,
            "make a folder beside its own": (own.parent / "broke-out").mkdir,
            "read elsewhere": (folder.parent / "secret").read_bytes,
            "list elsewhere": lambda: list(folder.parent.iterdir()),
            "environment of the service": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
            "memory of the service": lambda: Path(f"/proc/{os.getppid()}/mem").open("rb"),  # noqa: SIM115
            "signal to the service": lambda: os.kill(os.getppid(), 0),
            "start a program": lambda: subprocess.run(["/bin/true"], check=True),
            "fork": _fork,
            "a huge file": lambda: _huge_file(own / "huge"),
            # These have to go on working.
            "read a document": lambda: (folder / "document.md").read_text(encoding="utf-8"),
            "own folder": lambda: _own_folder(Path(tempfile.mkdtemp())),
            "thread": _thread,
            "signal to itself": lambda: os.kill(os.getpid(), signal.SIGTERM),
        }
        outcomes = {name: _outcome(attempt) for name, attempt in attempts.items()}
        return replace(super().analyse(source, page, options), warnings=tuple(f"{name}={came}" for name, came in outcomes.items()))


def _outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return type(error).__name__ if type(error) is not OSError else str(error.errno)
    return "done"


def _system_call(number: int, *arguments: object) -> None:
    if ctypes.CDLL(None, use_errno=True).syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _fork() -> None:
    process_id = os.fork()
    if process_id == 0:
        os._exit(0)
    os.waitpid(process_id, 0)


def _huge_file(path: Path) -> None:
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, 64 * 1024 * 1024)


def _own_folder(folder: Path) -> None:
    (folder / "a").write_text("a", encoding="ascii")
    (folder / "a").replace(folder / "b")
    shutil.rmtree(folder)


def _thread() -> None:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def build(_config: EngineConfig) -> TriesToBreakOut:
    return TriesToBreakOut()
