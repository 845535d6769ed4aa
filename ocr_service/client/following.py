"""Where a client is in a job's events: what it asks for, and what comes. A connection may break at any byte; nothing comes twice."""

from __future__ import annotations

from collections.abc import Iterator

from ocr_service.client import wire
from ocr_service.client.errors import AnswerBroken
from ocr_service.client.events import Event, EventParser
from ocr_service.client.jobs import Job, JobChanged, PageFinished
from ocr_service.client.results import Page

SILENCE_S = 60.0
"""The service says something every 15 seconds: after so many without a word, the connection is dead."""


class Following:
    """A job's events over as many connections as it takes. `is_over` once its last state has come."""

    def __init__(self, job_id: str, last_event_id: int) -> None:
        self._path = f"{wire.job_path(job_id)}/events"
        self._last = last_event_id
        self._parser = EventParser()
        self.is_over = False

    def request(self) -> tuple[str, dict[str, str]]:
        """Path and headers of a new connection, which goes on where the one before broke off."""
        self._parser = EventParser()
        return self._path, {"Accept": "text/event-stream", "Last-Event-ID": str(self._last)}

    def feed(self, chunk: bytes) -> Iterator[JobChanged | PageFinished]:
        """What the chunk completes. Raises AnswerBroken for what is not the service's."""
        for event in self._parser.feed(chunk):
            if event.kind == "job":
                job = wire.decode(event.data.encode(), Job)
                self.is_over = job.is_over
                yield JobChanged(job)
            elif event.kind == "page":
                yield from self._page(event)

    def _page(self, event: Event) -> Iterator[PageFinished]:
        if not (event.last_id.isascii() and event.last_id.isdecimal()):
            raise AnswerBroken("A page came without its number. Is this address the OCR service's?")
        number = int(event.last_id)
        if number > self._last:
            self._last = number
            yield PageFinished(number, wire.decode(event.data.encode(), Page))
