"""Two `make run` at the same time: the second waits until the first has set up."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.setup.progress import say


@contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Hold the lock; the kernel frees it however this process ends."""
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    with lock_file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another setup of this project is running; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
