"""What a person sees while the project is set up: one line a step, and one line that moves on a terminal."""

from __future__ import annotations

import sys
import time


class SetupError(Exception):
    """Something that only a person can mend; the message says how."""


def say(line: str) -> None:
    print(f"▸ {line}", file=sys.stderr, flush=True)


class Counter:
    """`▸ Installing packages: 12 of 57 (numpy)`: rewritten in place on a terminal, every few seconds elsewhere (logs of CI)."""

    def __init__(self, title: str, total: int, *, every_s: float = 5.0) -> None:
        self._title, self._total, self._every_s = title, total, every_s
        self._done = 0
        self._shown_at = time.monotonic()
        self._moves = sys.stderr.isatty()

    def step(self, name: str) -> None:
        self._done = min(self._done + 1, self._total)
        text = f"▸ {self._title}: {self._done} of {self._total} ({name})"
        if self._moves:
            print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
        elif time.monotonic() - self._shown_at >= self._every_s:
            self._shown_at = time.monotonic()
            print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._moves:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
