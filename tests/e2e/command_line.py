"""The command `ocr-service` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.running import PATIENCE_S, REPOSITORY

COMMAND = [sys.executable, "-P", "-m", "ocr_service.cli"]


class CommandLine:
    """Runs the command in a folder of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": str(REPOSITORY),
            "OCR_URL": url,
        }

    def __call__(self, *arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.folder,
            env=self.environment | environment,
            input=stdin,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextmanager
    def running(self, *arguments: str, **files: Any) -> Iterator[subprocess.Popen[bytes]]:
        """The command, gone at the end in any case. It hears Ctrl-C even where the tests run in the background of a shell."""
        command_line = [*COMMAND, *arguments]
        with subprocess.Popen(command_line, cwd=self.folder, env=self.environment, preexec_fn=_hear_sigint, **files) as command:  # noqa: PLW1509
            try:
                yield command
            finally:
                command.kill()

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def written(self, folder: str = "out") -> list[str]:
        """Files that are results, without the records."""
        root, found = self.folder / folder, []
        for parent, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name != ".ocr-service"]  # where files come and go
            found += [str((Path(parent) / name).relative_to(root)) for name in names]
        return sorted(found)


def reports(done: subprocess.CompletedProcess[bytes]) -> dict[str, dict[str, Any]]:
    """The lines of `--json` by document."""
    return {Path(report["source"]).name: report for report in map(json.loads, done.stdout.splitlines())}


def read_terminal(terminal: int) -> bytes:
    """What came to it; nothing when the other side is closed."""
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so then
        return b""


def _hear_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
