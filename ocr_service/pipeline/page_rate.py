"""How fast pages are read: what Retry-After is computed from."""

from __future__ import annotations

import math

# Until a page has been measured; a scanned page takes about as long on one core.
ASSUMED_PAGE_S = 1.0
# The weight of the newest page: about the last twenty count.
NEWEST = 0.1
MIN_RETRY_S, MAX_RETRY_S = 1, 3600


class PageRate:
    """An exponentially weighted mean of the time that a page holds its slot. Idle hours do not make it look slow."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._page_s = ASSUMED_PAGE_S
        self._measured = False

    def page_took(self, seconds: float) -> None:
        """Take note of one page."""
        self._page_s = self._page_s + NEWEST * (seconds - self._page_s) if self._measured else seconds
        self._measured = True

    @property
    def pages_per_s(self) -> float:
        """Of the whole service, when all its workers are busy."""
        return self._capacity / max(self._page_s, 0.001)

    def seconds(self, pages: int) -> float:
        """Until so many pages will be read."""
        return pages / self.pages_per_s

    def retry_after_s(self, pages: int) -> int:
        """The same in whole seconds, 1 to 3600."""
        return whole_seconds(self.seconds(pages))


def whole_seconds(seconds: float) -> int:
    """For Retry-After: 1 to 3600."""
    return min(MAX_RETRY_S, max(MIN_RETRY_S, math.ceil(seconds)))
