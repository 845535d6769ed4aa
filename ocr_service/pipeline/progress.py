"""A document's progress in the log: a line now and then, and one at the end."""

from __future__ import annotations

import asyncio
import logging

LINE_EVERY_S = 10.0

log = logging.getLogger(__name__)


class Progress:
    """Counts the finished pages of one document."""

    def __init__(self, document_id: str, asked: int) -> None:
        self._document_id = document_id
        self._asked = asked
        self._began = self._last_line = asyncio.get_running_loop().time()
        self._kept = 0
        self.done = 0

    def page_done(self) -> None:
        """One more; writes a line if the last one is a while ago."""
        self.done += 1
        now = asyncio.get_running_loop().time()
        if now - self._last_line >= LINE_EVERY_S:
            self._last_line = now
            self._line("Document in progress")

    def page_kept(self) -> None:
        """One that an earlier start of the document has read."""
        self.done += 1
        self._kept += 1

    def over(self, outcome: str) -> None:
        """The last line."""
        self._line("Document over", outcome=outcome)

    def _line(self, message: str, **more: object) -> None:
        seconds = asyncio.get_running_loop().time() - self._began
        fields = {
            "document_id": self._document_id,
            "pages_done": self.done,
            "pages_asked": self._asked,
            "seconds": round(seconds, 2),
            "pages_per_s": round((self.done - self._kept) / seconds, 3) if seconds > 0 else None,
        }
        log.info(message, extra=fields | more)
