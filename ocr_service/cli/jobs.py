"""`ocr-service jobs`: what the service has to do and has done, whoever handed it in with this key."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from ocr_service.cli import progress
from ocr_service.cli.environment import Environment
from ocr_service.cli.reading import tell
from ocr_service.cli.status import ExitStatus, UsageError
from ocr_service.client import Client, Job, PageFinished, Patience
from ocr_service.client.wire import no_result

_TIMEOUT_S = 60.0
_MARKS = {"complete": "✓", "partial": "!"}


def run(asked: argparse.Namespace, environment: Environment) -> ExitStatus:
    """Raises UsageError, ClientError."""
    if (asked.action == "list") is bool(asked.ids):
        raise UsageError("jobs list takes no ids" if asked.ids else f"jobs {asked.action} needs the id of a job")
    patience = Patience(busy_s=asked.patience, away_s=asked.patience)
    with Client(asked.url, api_key=environment.api_key, timeout_s=_TIMEOUT_S, patience=patience) as client:
        return _ACTIONS[asked.action](client, asked)


def _list(client: Client, asked: argparse.Namespace) -> ExitStatus:
    return _shown(list(client.jobs(asked.state, asked.limit)), asked)


def _cancel(client: Client, asked: argparse.Namespace) -> ExitStatus:
    return _shown([client.cancel(job_id) for job_id in asked.ids], asked)


def _shown(jobs: Sequence[Job], asked: argparse.Namespace) -> ExitStatus:
    """To standard output."""
    if asked.json:
        sys.stdout.writelines(map(_line, jobs))
    else:
        sys.stdout.write(table(jobs))
    return ExitStatus.OK


def _wait(client: Client, asked: argparse.Namespace) -> ExitStatus:
    """One after the other: the last of them decides how long it takes."""
    ended: list[Job] = []
    with progress.shown(len(asked.ids), quiet=asked.quiet) as shown:
        for job_id in asked.ids:
            job = _followed(client, job_id, shown)
            ended.append(job)
            if asked.json:
                sys.stdout.write(_line(job))
                sys.stdout.flush()
    return status_of(ended)


def _followed(client: Client, job_id: str, shown: progress.Progress) -> Job:
    job = client.job(job_id)
    track = shown.document(job.filename)
    for happening in client.events(job_id):
        if isinstance(happening, PageFinished):
            track.page()
            continue
        job = happening.job
        tell(job, track)
    shown.done(track, ending(job))
    return job


def _result(client: Client, asked: argparse.Namespace) -> ExitStatus:
    """To standard output, by way of the disk: nothing of an answer that breaks off is written."""
    if len(asked.ids) > 1:
        raise UsageError("jobs result takes one id")
    [job_id] = asked.ids
    job = client.job(job_id)
    why_not = no_result(job)
    if why_not is not None:
        raise why_not
    with tempfile.TemporaryDirectory(prefix="ocr-service-") as folder:
        file = Path(folder) / "result"
        client.download(job_id, "result.json" if asked.json else "document.md", file)
        with file.open("rb") as content:
            shutil.copyfileobj(content, sys.stdout.buffer)
    return status_of([job])


_ACTIONS: dict[str, Callable[[Client, argparse.Namespace], ExitStatus]] = {
    "list": _list,
    "wait": _wait,
    "result": _result,
    "cancel": _cancel,
}


def status_of(jobs: Sequence[Job]) -> ExitStatus:
    """Of jobs that are over."""
    if not all(job.has_result for job in jobs):
        return ExitStatus.FAILED
    return ExitStatus.PARTIAL if any(job.state == "partial" for job in jobs) else ExitStatus.OK


def ending(job: Job) -> str:
    """For people."""
    pages = f"{job.pages_done} page{'' if job.pages_done == 1 else 's'}"
    failed = f", {job.pages_failed} could not be read" if job.pages_failed else ""
    why = f": {job.error.detail} ({job.error.code})" if job.error is not None else ""
    return f"{_MARKS.get(job.state, '✗')} {job.job_id} {job.filename}: {job.state}, {pages}{failed}{why}"


def table(jobs: Sequence[Job]) -> str:
    """With a line end; moments are this machine's."""
    cells = [("JOB", "STATE", "PAGES", "CREATED", "DOCUMENT"), *map(_cells, jobs)]
    widths = [max(len(row[column]) for row in cells) for column in range(4)]
    return "".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, (*widths, 0), strict=True)) + "\n" for row in cells)


def _cells(job: Job) -> tuple[str, str, str, str, str]:
    place = f" #{job.queue_position}" if job.queue_position is not None else ""
    pages = f"{job.pages_done}/{job.page_count}" if job.page_count is not None else "–"
    created = job.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return job.job_id, f"{job.state}{place}", pages, created, job.filename


def _line(job: Job) -> str:
    """A line for programs."""
    return msgspec.json.encode(job).decode() + "\n"
