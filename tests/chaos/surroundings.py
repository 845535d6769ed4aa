"""What the service stands on, and what can be taken from it: a VLM server, S3, a disk of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Literal

from tests.chaos.documents import SENTENCE
from tests.chaos.marks import Mark
from tests.fakes.vlm_acts import Act, Answer, Fail, Stall
from tests.fakes.vlm_server import Asked, vlm_in_thread

Mood = Literal["steady", "lying", "stalling", "failing"]
# More than health asks for (64 MiB), and all that ten minutes write.
DISK_MB = 400


class Vlm:
    """A VLM server on a port of its own that can be killed and come back. Steady, it says of every region the sentence that is on every
    page; lying, also marks of other documents, which must not get into any; failing, 500.
    """

    def __init__(self) -> None:
        self.mood: Mood = "steady"
        self._life = ExitStack()
        self._server = self._life.enter_context(vlm_in_thread(self._act))
        self.url = self._server.url

    @property
    def asked(self) -> int:
        return len(self._server.asked)

    def die(self) -> None:
        self._life.close()

    def come_back(self) -> None:
        self._server = self._life.enter_context(vlm_in_thread(self._act, port=self._server.port))

    def close(self) -> None:
        self._life.close()

    def _act(self, asked: Asked) -> Act:
        if self.mood == "stalling":
            return Stall()
        if self.mood == "failing":
            return Fail(500)
        if self.mood == "lying" and asked.number % 3 == 0:
            return Answer(f"{Mark(90_000 + asked.number % 1000, 1)}")
        return Answer(SENTENCE)


class Disk:
    """Where the service writes; `can_fill`: it is a small one of its own, so that filling it harms nobody."""

    def __init__(self, path: Path, why_not: str | None) -> None:
        self.path = path
        self.why_not = why_not

    @contextmanager
    def full(self) -> Iterator[None]:
        filling = self.path / "filling"
        with filling.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(2**16))
        try:
            yield
        finally:
            filling.unlink()


@contextmanager
def disk(path: Path) -> Iterator[Disk]:
    """A small tmpfs where that can be mounted, else a plain folder."""
    path.mkdir(parents=True)
    why_not = _mount(path)
    try:
        yield Disk(path, why_not)
    finally:
        if why_not is None:
            subprocess.run(["umount", "--lazy", str(path)], check=True)


def _mount(path: Path) -> str | None:
    """Why it could not be, or None."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return "mounting a small disk needs root"
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    return None if mounted.returncode == 0 else f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}"
