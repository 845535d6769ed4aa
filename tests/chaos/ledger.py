"""What was sent, what came back, and what should not have been. For several threads."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos.documents import Sample


class Periods:
    """When what was wrong with the surroundings, so that a refusal can be told from a fault."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[tuple[str, float, float]] = []
        self._open: dict[str, float] = {}

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        with self._lock:
            self._open[name] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._all.append((name, self._open.pop(name), time.monotonic()))

    def touched(self, name: str, since: float) -> bool:
        """Whether it was so at any time since then."""
        with self._lock:
            return name in self._open or any(kind == name and end >= since for kind, _, end in self._all)


class Ledger:
    """`wrong`: each finding once, with what it is about."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.periods = Periods()
        self.wrong: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.pages = 0
        self.answered: dict[str, str] = {}
        """The digest of the pages of every document that was answered, by its id."""
        self.cancelled: set[str] = set()
        """Documents whose client left or took them back."""

    def found(self, what: str) -> None:
        with self._lock:
            if what not in self.wrong:
                self.wrong.append(what)

    def outcome(self, sample: Sample, way: str, outcome: str) -> None:
        with self._lock:
            self.outcomes[f"{sample.kind}, {way}: {outcome}"] += 1

    def checked(self, sample: Sample) -> None:
        """All of its pages came, and were right."""
        with self._lock:
            self.pages += sample.pages

    def answer(self, document_id: str, pages: list[dict[str, Any]]) -> None:
        """A whole and right answer that stays."""
        with self._lock:
            self.answered[document_id] = digest(pages)

    def left(self, document_id: str) -> None:
        with self._lock:
            self.cancelled.add(document_id)


def digest(pages: list[dict[str, Any]]) -> str:
    """Of everything that an answer says of its pages."""
    return hashlib.sha256(json.dumps(pages, sort_keys=True).encode()).hexdigest()


def content_of(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was read, without how long it took, how often it was tried, and whether it was kept."""
    return [{name: value for name, value in page.items() if name not in {"timings", "attempts", "cached"}} for page in pages]
