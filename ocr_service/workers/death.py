"""How a worker can be lost in the middle of a request, and how often a request is tried again."""

from __future__ import annotations

from enum import StrEnum

from ocr_service.domain.errors import PageFailed, PageOutOfMemory, PageTimedOut, WorkerCrashed

# A page that a worker fails on gets one more try in another worker.
MAX_FAULTS = 2
# SIGKILL from outside is rarely the page's fault (an operator, the kernel short of memory): it has a budget of its own,
# so that a page survives somebody killing all workers several times, and yet cannot go round for ever.
MAX_KILLS = 4


class Death(StrEnum):
    """`KILLED`: by a SIGKILL that the pool did not send. `CANCELLED`: whoever asked has gone, and the work would not end."""

    CRASHED = "crashed"
    KILLED = "killed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    CANCELLED = "cancelled"

    @property
    def reason(self) -> str:
        """The word for observers and metrics."""
        return Death.CRASHED.value if self is Death.KILLED else self.value


class WorkerDied(Exception):
    """The worker was lost before it answered. `detail`: e.g. "signal 11"; for the log and, as part of a sentence, for the client."""

    def __init__(self, death: Death, detail: str) -> None:
        super().__init__(f"{death.value}: {detail}")
        self.death = death
        self.detail = detail


class WorkerGone(Exception):
    """The worker was dead before it was asked; costs the request nothing."""


class Attempts:
    """Counts what a request has cost so far."""

    def __init__(self) -> None:
        self.made = 0
        self._faults = 0
        self._kills = 0

    def began(self) -> None:
        self.made += 1

    def may_retry_after(self, died: WorkerDied) -> bool:
        """Take note of the loss; whether the request deserves another worker."""
        if died.death is Death.KILLED:
            self._kills += 1
        else:
            self._faults += 1
        return self._faults < MAX_FAULTS and self._kills < MAX_KILLS


def page_error(died: WorkerDied, page: int, attempts: int) -> PageFailed:
    """The domain's word for a page that no worker survived."""
    tried = f" ({attempts} attempts)"
    match died.death:
        case Death.TIMED_OUT:
            return PageTimedOut(f"Page {page} took longer than {died.detail}{tried}. A lower dpi may help.", attempts=attempts)
        case Death.OUT_OF_MEMORY:
            return PageOutOfMemory(f"Page {page} needed more memory than a worker may use{tried}. A lower dpi may help.", attempts=attempts)
        case _:
            return WorkerCrashed(f"The worker that read page {page} died of {died.detail}{tried}.", attempts=attempts)


def opening_error(died: WorkerDied) -> str:
    """A sentence for a file that could not even be opened."""
    match died.death:
        case Death.TIMED_OUT:
            return f"The file could not be opened: it took longer than {died.detail}."
        case Death.OUT_OF_MEMORY:
            return "The file could not be opened: it needs more memory than a worker may use."
        case _:
            return "The file could not be opened: the reader crashes on it."
