"""Who gets the next free worker: opening a file and a second try go before reading a page, else first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque

from ocr_service.workers.process import WorkerProcess


class WaitingLine:
    """Free workers on one side, waiting requests on the other; at any time one of the two is empty."""

    def __init__(self) -> None:
        self._free: list[WorkerProcess] = []
        self._urgent: deque[asyncio.Future[WorkerProcess]] = deque()
        self._ordinary: deque[asyncio.Future[WorkerProcess]] = deque()

    def take(self) -> WorkerProcess | None:
        """A free worker, the one with the fewest pages behind it; None when all are busy."""
        self._free = [worker for worker in self._free if not worker.has_ended]
        if not self._free:
            return None
        youngest = min(self._free, key=lambda worker: worker.pages_done)
        self._free.remove(youngest)
        return youngest

    def enter(self, *, urgent: bool) -> asyncio.Future[WorkerProcess]:
        """Wait in line; the future's result is a worker. Cancel it to leave."""
        place: asyncio.Future[WorkerProcess] = asyncio.get_running_loop().create_future()
        (self._urgent if urgent else self._ordinary).append(place)
        return place

    def give(self, worker: WorkerProcess) -> None:
        """A worker is free: for whoever waits longest."""
        for line in (self._urgent, self._ordinary):
            while line:
                place = line.popleft()
                if not place.done():
                    place.set_result(worker)
                    return
        self._free.append(worker)

    def withdraw(self, worker: WorkerProcess) -> bool:
        """Take this worker out of the free ones; False if it is not among them."""
        if worker not in self._free:
            return False
        self._free.remove(worker)
        return True

    def refuse_all(self, error: Exception) -> None:
        """Everybody who waits gets the error."""
        for line in (self._urgent, self._ordinary):
            while line:
                place = line.popleft()
                if not place.done():
                    place.set_exception(error)
