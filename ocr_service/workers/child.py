"""A page worker: `python -m ocr_service.workers.child PARENT_PID`. Builds one engine, then answers requests one after the other.

Nothing is imported here that parses files; the engine is named by the first request.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from ocr_service.domain.errors import DocumentUnreadable, PageFailed, PageOutOfMemory, ServiceError, StorageFailed
from ocr_service.domain.ports import PageEngine
from ocr_service.engines.config import EngineConfig
from ocr_service.engines.fingerprint import fingerprint
from ocr_service.workers.confinement import ParentGone, confine, limit_data, take_over_pipes, wall_off
from ocr_service.workers.protocol import (
    LENGTH,
    MAX_REPLY_BYTES,
    MAX_REQUEST_BYTES,
    Analyse,
    Analysed,
    Failed,
    Inspect,
    Inspected,
    Known,
    Look,
    Outcome,
    ProtocolViolation,
    Ready,
    Reply,
    Request,
    Setup,
    Task,
    WriteSearchablePdf,
    Written,
    body_length,
    decode_request,
    frame,
)
from ocr_service.workers.shortage import is_short_of_memory

SETUP_FAILED_STATUS = 3
# Shown by /version and in bug reports: the libraries whose versions change what is read.
REPORTED_LIBRARIES = ("pymupdf", "rapidocr", "openvino", "onnxruntime", "tesserocr", "opencv-python-headless", "paddleocr")

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Run the worker; returns the exit status."""
    requests, replies = take_over_pipes()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        confine(int(arguments[0]))
    except ParentGone:
        return SETUP_FAILED_STATUS
    request = _receive(requests)
    if request is None or not isinstance(request.task, Setup):
        return SETUP_FAILED_STATUS
    setup = request.task
    try:
        models = [path for path in (setup.config.models_path, setup.config.tessdata) if path is not None]
        walls = wall_off(setup.confinement, setup.scratch, models)
    except OSError as error:
        _send(replies, Reply(request.id, Failed("setup_failed", f"OCR_WORKER_CONFINEMENT: {error}")))
        return SETUP_FAILED_STATUS
    reader = _set_up(setup)
    if isinstance(reader, Failed):
        _send(replies, Reply(request.id, reader))
        return SETUP_FAILED_STATUS
    _send(replies, Reply(request.id, Ready(reader.engine.name, _versions(), walls)))
    while (request := _receive(requests)) is not None:
        _send(replies, Reply(request.id, _perform(reader, request.task)))
    return 0


@dataclass(frozen=True, slots=True)
class _Reader:
    """The worker's engine, and what it was built from."""

    engine: PageEngine
    config: EngineConfig
    fingerprint: str


def _set_up(setup: Setup) -> _Reader | Failed:
    limit_data(setup.data_limit_bytes)
    try:
        engine = _factory(setup.engine)(setup.config)
        return _Reader(engine, setup.config, fingerprint(engine.name, _versions(), setup.config))
    except Exception as error:
        log.exception("The engine cannot be built")
        return Failed("setup_failed", f"{type(error).__name__}: {error}")


def _factory(name: str) -> Callable[[EngineConfig], PageEngine]:
    module, _, attribute = name.partition(":")
    factory: Callable[[EngineConfig], PageEngine] = getattr(importlib.import_module(module), attribute)
    return factory


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in REPORTED_LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _perform(reader: _Reader, task: Task) -> Outcome:
    """Do the task; whatever goes wrong becomes an answer, so that one bad file does not cost the process."""
    try:
        return _answer(reader, task)
    except ServiceError as error:
        return Failed(error.code, error.detail)
    except Exception as error:
        if is_short_of_memory(error):
            return Failed(PageOutOfMemory.code, "")
        log.exception("Unexpected error")
        return _unexpected(task, type(error).__name__)


def _answer(reader: _Reader, task: Task) -> Outcome:
    match task:
        case Inspect(source):
            return Inspected(reader.engine.inspect(source))
        case Analyse(source, page, options, look):
            if look is not None:
                return _look_or_analyse(reader, task, look)
            return Analysed(reader.engine.analyse(source, page, options))
        case WriteSearchablePdf():
            _write_searchable_pdf(task)
            return Written()
        case Setup():
            raise ProtocolViolation("a worker is set up once")


def _look_or_analyse(reader: _Reader, task: Analyse, look: Look) -> Outcome:
    began = time.perf_counter()
    key = _key(reader, task, look)
    seconds = time.perf_counter() - began
    if key and (look.folder / key[:2] / key).is_file():
        return Known(key, seconds)
    analysis = reader.engine.analyse(task.source, task.page, task.options)
    return Analysed(replace(analysis, cache_key=key, timings={"digest": seconds, **analysis.timings}))


def _key(reader: _Reader, task: Analyse, look: Look) -> str:
    """Empty for a page that has none: whatever keeps it from being looked at is the engine's to find, and to say."""
    # Only here: it pulls in MuPDF, which not every engine needs.
    from ocr_service.engines.page_digest import page_digest

    try:
        return page_digest(task.source, task.page, task.options, reader.config, reader.fingerprint, look.salt)
    except (ServiceError, OSError):
        return ""


def _write_searchable_pdf(task: WriteSearchablePdf) -> None:
    """Atomically: the PDF has its final name only when it is whole."""
    # Only here: it pulls in MuPDF, which not every engine needs.
    from ocr_service.outputs import searchable_pdf

    partial = task.target.with_name(f".{task.target.name}.part")
    try:
        searchable_pdf.write(task.source, task.pages, partial)
        partial.replace(task.target)
    except OSError as error:
        raise StorageFailed(f"The searchable PDF could not be written: {error.strerror or 'I/O error'}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _unexpected(task: Task, name: str) -> Failed:
    match task:
        case Analyse(_, page):
            return Failed(PageFailed.code, f"Page {page} could not be read: unexpected {name}.")
        case WriteSearchablePdf():
            return Failed(StorageFailed.code, f"The searchable PDF could not be made: unexpected {name}.")
        case _:
            return Failed(DocumentUnreadable.code, f"The file could not be opened: unexpected {name}.")


def _receive(requests: BinaryIO) -> Request | None:
    """The next request; None when the service closed the pipe, which means to stop."""
    header = requests.read(LENGTH.size)
    if len(header) < LENGTH.size:
        return None
    body = requests.read(body_length(header, MAX_REQUEST_BYTES))
    return decode_request(body)


def _send(replies: BinaryIO, reply: Reply) -> None:
    try:
        data = frame(reply, MAX_REPLY_BYTES)
    except (ProtocolViolation, TypeError, ValueError, OverflowError) as error:
        log.exception("The answer cannot be sent")
        data = frame(Reply(reply.id, Failed(PageFailed.code, f"The result of this page could not be passed on: {error}.")), MAX_REPLY_BYTES)
    replies.write(data)
    replies.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
