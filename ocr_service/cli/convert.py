"""`ocr-service convert`."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import Any

import msgspec

from ocr_service.cli import local_service, names, progress
from ocr_service.cli.client import patient_client
from ocr_service.cli.conversion import Converter, Ending, Outcome
from ocr_service.cli.environment import Environment
from ocr_service.cli.inputs import STANDARD, Source, find
from ocr_service.cli.reading import Reader
from ocr_service.cli.results_folder import ResultsFolder
from ocr_service.cli.status import ExitStatus, UsageError
from ocr_service.client import Options


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is to be done. `folder` is None where the result goes to standard output; `standard_input`: where it lies on disk."""

    asked: argparse.Namespace
    options: Options
    sources: Sequence[Source]
    folder: ResultsFolder | None
    standard_input: Path | None = None

    def file_of(self, source: Source) -> Path:
        """Where the document's bytes lie."""
        file = source.path or self.standard_input
        assert file is not None
        return file


def run(asked: argparse.Namespace, environment: Environment) -> ExitStatus:
    """Raises UsageError, Unreachable, NoService; KeyboardInterrupt when it is broken off: its jobs are then cancelled."""
    plan = _plan(asked, environment)
    with ExitStack() as stack:
        if plan.folder is not None:
            stack.enter_context(plan.folder.held())
        # Before there is an event loop, which would keep a Ctrl-C from ending the reading.
        plan = replace(plan, standard_input=stack.enter_context(_standard_input(plan.sources)))
        shown = stack.enter_context(progress.shown(len(plan.sources), quiet=asked.quiet))
        outcomes = asyncio.run(_convert(plan, environment, shown))
    if asked.quiet:
        sys.stderr.writelines(f"{outcome.line}\n" for outcome in outcomes if outcome.error is not None)
    elif len(outcomes) > 1:
        sys.stderr.write(f"{_totals(outcomes)}\n")
    return status_of(outcomes)


def status_of(outcomes: Sequence[Outcome]) -> ExitStatus:
    endings = {outcome.ending for outcome in outcomes}
    if Ending.FAILED in endings:
        return ExitStatus.FAILED
    return ExitStatus.PARTIAL if Ending.PARTIAL in endings else ExitStatus.OK


def _plan(asked: argparse.Namespace, environment: Environment) -> _Plan:
    folder = None if asked.output in {None, STANDARD} else ResultsFolder(Path(asked.output))
    sources = find(asked.files, recursive=asked.recursive, skip=_skipped(folder))
    if folder is None and len(sources) > 1:
        raise UsageError("Several documents need a folder for their results: -o DIR")
    if not sources:
        raise UsageError("There is no PDF and no image in these folders")
    return _Plan(asked, _options(asked, environment), sources, folder)


def _skipped(folder: ResultsFolder | None) -> Callable[[Path], bool]:
    """The results of earlier runs are not documents."""
    if folder is None:
        return lambda _path: False
    return lambda path: path.resolve() == folder.path.resolve() or folder.is_own(path)


def _options(asked: argparse.Namespace, environment: Environment) -> Options:
    return Options(
        pages=asked.pages,
        dpi=asked.dpi,
        lang=asked.lang,
        text_layer=asked.text_layer,
        outputs=tuple(name.strip() for name in asked.outputs.split(",") if name.strip()) if asked.outputs else (),
        vlm_policy=asked.vlm_policy,
        include_headers_footers=asked.headers_footers,
        password=_password(asked, environment),
    )


def _password(asked: argparse.Namespace, environment: Environment) -> str | None:
    """Never an argument: other users of the machine can read those."""
    if asked.password_file is not None:
        try:
            lines = asked.password_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--password-file: {asked.password_file} cannot be read: {error}") from error
        return lines[0] if lines else None
    if asked.password:
        if not sys.stdin.isatty():
            raise UsageError("--password asks at a terminal, and there is none: use --password-file or OCR_PASSWORD")
        return getpass.getpass("Password of the documents: ") or None
    return environment.password


async def _convert(plan: _Plan, environment: Environment, shown: progress.Progress) -> list[Outcome]:
    with local_service.cancelled_by_sigterm():
        async with AsyncExitStack() as stack:
            url = plan.asked.url
            if plan.asked.local:
                url = await stack.enter_async_context(local_service.running(shown.say))
            client = await stack.enter_async_context(patient_client(url, environment, plan.asked.patience, shown.say))
            reader = Reader(client, plan.options)
            # A service that is there for this run only takes its jobs with it.
            converter = Converter(reader, shown, resumable=not plan.asked.local)
            try:
                if plan.folder is None:
                    return [await _to_standard_output(converter, plan)]
                return await _to_folder(converter, plan, plan.folder)
            except asyncio.CancelledError:
                if left := await reader.cancel_all():
                    shown.say(f"The service does not answer: {left} of the documents could not be cancelled there")
                raise


async def _to_standard_output(converter: Converter, plan: _Plan) -> Outcome:
    [source] = plan.sources
    return await converter.to_stream(source, plan.file_of(source), sys.stdout.buffer, as_json=plan.asked.json)


async def _to_folder(converter: Converter, plan: _Plan, folder: ResultsFolder) -> list[Outcome]:
    try:
        chosen = await asyncio.to_thread(names.choose, plan.sources, folder.belongs_to_another)
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}") from error

    async def one(source: Source, name: PurePath) -> Outcome:
        outcome = await converter.to_folder(source, plan.file_of(source), name, folder, force=plan.asked.force)
        if plan.asked.json:
            sys.stdout.write(f"{_report(outcome)}\n")
            sys.stdout.flush()
        return outcome

    return await _at_most(plan.asked.jobs, [partial(one, source, name) for source, name in zip(plan.sources, chosen, strict=True)])


async def _at_most(limit: int, calls: Sequence[Callable[[], Awaitable[Outcome]]]) -> list[Outcome]:
    """Call all, `limit` at the same time; the first that raises ends the others."""
    outcomes: list[Outcome | None] = [None] * len(calls)
    waiting = iter(enumerate(calls))

    async def work() -> None:
        for index, call in waiting:
            outcomes[index] = await call()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(limit, len(calls))):
                group.create_task(work())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return [outcome for outcome in outcomes if outcome is not None]


@contextmanager
def _standard_input(sources: Sequence[Source]) -> Iterator[Path | None]:
    """Standard input as a file on disk, where it is asked for: it is hashed, and perhaps sent twice."""
    if all(source.path is not None for source in sources):
        yield None
        return
    if sys.stdin.isatty():
        sys.stderr.write("Reading the document from the terminal; end it with Ctrl-D\n")
    with tempfile.NamedTemporaryFile(prefix="ocr-service-") as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        yield Path(spool.name)


def _report(outcome: Outcome) -> str:
    """A line for programs."""
    line: dict[str, Any] = {
        "source": outcome.source.shown,
        "status": outcome.ending.value,
        "markdown": str(outcome.target) if outcome.target is not None else None,
        "json": str(outcome.target)[: -len(".md")] + ".json" if outcome.target is not None else None,
        "pages": outcome.pages,
        "failed_pages": outcome.failed_pages,
        "seconds": round(outcome.seconds, 3),
        "error": {"code": outcome.error[0], "detail": outcome.error[1]} if outcome.error is not None else None,
    }
    return msgspec.json.encode(line).decode()


def _totals(outcomes: Sequence[Outcome]) -> str:
    counts = {ending: sum(outcome.ending is ending for outcome in outcomes) for ending in Ending}
    told = ", ".join(f"{count} {ending}" for ending, count in counts.items() if count)
    return f"{len(outcomes)} documents: {told}"
