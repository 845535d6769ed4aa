"""A client of the service: `from ocr_service.client import Client`. Needs httpx and msgspec, and nothing of the service.

    with Client("http://localhost:8081") as client:
        document = client.convert("scan.pdf", Options(pages="1-3"), on_page=lambda page: print(page.page))
        print(document.markdown)

        job = client.submit("long.pdf")                 # a job outlives this connection, and the service's restart
        if client.wait(job.job_id).has_result:
            print(client.result(job.job_id).markdown)

`AsyncClient` is the same with `async` and `await`. docs/cli.md has more.
"""

from ocr_service.client.async_client import AsyncClient, AsyncReading
from ocr_service.client.client import Client, Reading
from ocr_service.client.errors import (
    AnswerBroken,
    BrokenOff,
    Busy,
    ClientError,
    JobCancelled,
    JobFailed,
    JobUnfinished,
    NoResult,
    NotFound,
    PasswordRequired,
    Refused,
    Rejected,
    ServiceFailed,
    TimedOut,
    Unauthorized,
    Unreachable,
)
from ocr_service.client.jobs import Job, JobChanged, JobFailure, PageFinished
from ocr_service.client.options import Options
from ocr_service.client.results import Block, Document, Health, Page, Ready, Summary, Version
from ocr_service.client.retries import Patience

__all__ = [
    "AnswerBroken",
    "AsyncClient",
    "AsyncReading",
    "Block",
    "BrokenOff",
    "Busy",
    "Client",
    "ClientError",
    "Document",
    "Health",
    "Job",
    "JobCancelled",
    "JobChanged",
    "JobFailed",
    "JobFailure",
    "JobUnfinished",
    "NoResult",
    "NotFound",
    "Options",
    "Page",
    "PageFinished",
    "PasswordRequired",
    "Patience",
    "Reading",
    "Ready",
    "Refused",
    "Rejected",
    "ServiceFailed",
    "Summary",
    "TimedOut",
    "Unauthorized",
    "Unreachable",
    "Version",
]
