"""A document read as a job: found from an earlier run or handed in, followed to its end, cancelled when the run is broken off."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ocr_service.cli.progress import Track
from ocr_service.cli.tickets import Ticket, TicketFile
from ocr_service.client import AsyncClient, ClientError, Job, NoResult, NotFound, Options, PageFinished, Rejected
from ocr_service.client.wire import no_result

_CANCEL_S = 5.0
_KEY_REUSED = "idempotency_key_reused"


@dataclass(slots=True)
class Read:
    """What the job's events told. `images`: their paths below the document's folder."""

    document_id: str
    pages: int = 0
    failed_pages: list[int] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """The jobs of one run."""

    client: AsyncClient
    options: Options
    _open: dict[str, TicketFile | None] = field(default_factory=dict)

    async def read(self, file: Path, name: str, track: Track) -> Read:
        """As a job of this run alone. Raises ClientError, NoResult when the job did not end well."""
        return await self._follow(await self.client.submit(file, self.options, name=name), track, None)

    async def read_once(self, file: Path, name: str, track: Track, tickets: TicketFile, sha256: str) -> Read:
        """As the job of an earlier run, if that lives. Its ticket stays for the next run unless the job has failed; raises as `read`."""
        ticket = await asyncio.to_thread(tickets.read)
        if ticket is not None:
            if ticket.is_for(sha256, self.options.recorded()):
                read = await self._go_on(ticket, file, name, track, tickets)
                if read is not None:
                    return read
                track.restart()
            else:
                await self.give_up(tickets)
        ticket = await asyncio.to_thread(tickets.new, sha256, self.options.recorded())
        return await self._follow(await self._hand_in(ticket, file, name, tickets), track, tickets)

    async def give_up(self, tickets: TicketFile) -> None:
        """Forget the job of an earlier run; it is cancelled, since nobody will fetch its result."""
        ticket = await asyncio.to_thread(tickets.read)
        if ticket is not None and ticket.job_id is not None:
            with suppress(ClientError):
                await self.client.cancel(ticket.job_id)
        await asyncio.to_thread(tickets.drop)

    async def cancel_all(self) -> int:
        """Stop the jobs that are being followed; gives how many could not be stopped and go on. Those are found by the next run."""
        stopped = await asyncio.gather(*(self._cancel(job_id, tickets) for job_id, tickets in self._open.items()))
        return stopped.count(False)

    async def _go_on(self, ticket: Ticket, file: Path, name: str, track: Track, tickets: TicketFile) -> Read | None:
        """The job of an earlier run to its end. None: it failed, was cancelled or has expired, and there has to be a new one."""
        try:
            if ticket.job_id is None:
                job = await self._hand_in(ticket, file, name, tickets)
            else:
                job = await self.client.job(ticket.job_id)
            return await self._follow(job, track, tickets)
        except (NoResult, NotFound):
            return None
        except Rejected as error:
            if error.code != _KEY_REUSED:
                raise
            return None  # the service's defaults are others now

    async def _hand_in(self, ticket: Ticket, file: Path, name: str, tickets: TicketFile) -> Job:
        job = await self.client.submit(file, self.options, name=name, idempotency_key=ticket.key)
        ticket = Ticket(key=ticket.key, sha256=ticket.sha256, options=ticket.options, job_id=job.job_id)
        await asyncio.to_thread(tickets.write, ticket)
        return job

    async def _follow(self, job: Job, track: Track, tickets: TicketFile | None) -> Read:
        """To its end. Until then the job is one of those that are cancelled when the run is broken off."""
        self._open[job.job_id] = tickets
        try:
            read = await self._collect(job, track)
        except ClientError as error:
            del self._open[job.job_id]
            if isinstance(error, NoResult) and tickets is not None:
                await asyncio.to_thread(tickets.drop)
            raise
        del self._open[job.job_id]
        return read

    async def _collect(self, job: Job, track: Track) -> Read:
        read = Read(job.document_id)
        async with aclosing(self.client.events(job.job_id)) as happenings:
            async for happening in happenings:
                if not isinstance(happening, PageFinished):
                    job = happening.job
                    tell(job, track)
                    continue
                read.pages += 1
                read.images += [f"images/{image}" for image in happening.page.images]
                if happening.page.failed:
                    read.failed_pages.append(happening.page.page)
                track.page()
        why_not = no_result(job)
        if why_not is not None:
            raise why_not
        read.failed_pages.sort()
        return read

    async def _cancel(self, job_id: str, tickets: TicketFile | None) -> bool:
        try:
            async with asyncio.timeout(_CANCEL_S):
                job = await self.client.cancel(job_id)
        except (ClientError, TimeoutError):
            return False
        if tickets is not None and not job.has_result:
            await asyncio.to_thread(tickets.drop)
        return True


def tell(job: Job, track: Track) -> None:
    """How far the job is, but for its pages, which are events of their own."""
    if job.queue_position is not None:
        track.waits(job.queue_position)
    elif job.page_count is not None:
        track.total(job.page_count)
