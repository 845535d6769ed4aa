"""The engines that the service is measured against, as this side sees them: some processes that share a document's pages."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.service import OUT, PROJECT


@dataclass(frozen=True)
class Reading:
    """What reading some pages took and gave: wall clock and CPU in seconds, one text a page."""

    seconds: float
    cpu_s: float
    texts: list[str]


class Peer:
    """`processes` running engines, warmed up, each taking every n-th page."""

    def __init__(self, processes: Sequence[subprocess.Popen[str]]) -> None:
        self._processes = processes

    def read(self, pdf: Path, pages: Sequence[int], dpi: int) -> Reading:
        """Raises RuntimeError if a process ended."""
        shares = [pages[start :: len(self._processes)] for start in range(len(self._processes))]
        began = time.perf_counter()
        for process, share in zip(self._processes, shares, strict=True):
            assert process.stdin is not None
            process.stdin.write(json.dumps({"pdf": str(pdf), "pages": list(share), "dpi": dpi}) + "\n")
            process.stdin.flush()
        texts: dict[int, str] = {}
        cpu_s = 0.0
        for process, share in zip(self._processes, shares, strict=True):
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"{process.args!r} ended; see {OUT / 'peers.log'}")
            answer = json.loads(line)
            cpu_s += answer["cpu_s"]
            texts |= dict(zip(share, answer["texts"], strict=True))
        return Reading(time.perf_counter() - began, cpu_s, [texts[page] for page in pages])


@contextmanager
def running(engine: str, *, processes: int, threads: int) -> Iterator[Peer]:
    """Start the processes; `threads` 0 leaves the engine at its default."""
    OUT.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "bench.peer_process", engine, str(threads)]
    with (OUT / "peers.log").open("a") as log:
        started = [
            subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
            for _ in range(processes)
        ]
    try:
        yield Peer(started)
    finally:
        for process in started:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
