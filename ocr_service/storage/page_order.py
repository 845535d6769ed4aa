"""In which order the pages of a document were finished: `.order`, a line with the number of each, only ever added to.

A reader that has seen the first n lines goes on after them, whatever was restarted meanwhile. A line is written after its page's file, so
a crash between the two leaves a page that no line names: `mend` adds it.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

NAME = ".order"


def page_name(page: int) -> str:
    """The file of a page, below `pages/`."""
    return f"{page:04d}.json"


class PageOrder:
    """Blocking, for worker threads; one writer a document."""

    def __init__(self, pages: Path) -> None:
        self._pages = pages
        self._path = pages.parent / NAME
        self._lock = threading.Lock()

    def add(self, page: int) -> None:
        """The page's file is there. Raises OSError."""
        with self._lock:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                os.write(descriptor, b"%d\n" % page)
            finally:
                os.close(descriptor)

    def finished(self) -> list[int]:
        """The pages so far; a line that is not whole does not count. Raises OSError."""
        try:
            lines = self._path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        return [int(line) for line in lines if line.isdigit()]

    def mend(self) -> None:
        """Cut off half a line, name each page that is there exactly once. Raises OSError."""
        with self._lock:
            there = {int(path.stem) for path in self._pages.glob("*.json") if path.stem.isdigit()}
            named = self.finished()
            whole = list(dict.fromkeys(page for page in named if page in there))
            whole += sorted(there - set(whole))
            if whole == named and (not named or self._path.read_bytes().endswith(b"\n")):
                return
            temporary = self._path.with_name(f"{NAME}.tmp")
            temporary.write_bytes(b"".join(b"%d\n" % page for page in whole))
            temporary.replace(self._path)
