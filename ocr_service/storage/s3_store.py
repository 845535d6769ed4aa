"""Results in the local folder first and in S3 as well. S3 being slow, wrong or away costs no document: what is not there goes later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from ocr_service.domain.documents import DocumentResult, PageResult, RemoteCopy, RemoteStatus, SourceFile
from ocr_service.domain.errors import StorageFailed
from ocr_service.storage.local import LocalFolder, LocalStore
from ocr_service.storage.outbox import Outbox
from ocr_service.storage.reading import IMAGES, PAGES
from ocr_service.storage.s3_bucket import S3Bucket, S3Failed
from ocr_service.storage.s3_upload import NOT_UPLOADED, S3Upload, finished_files

log = logging.getLogger(__name__)

_THREADS = 4
_RETRY_S, _MAX_RETRY_S = 5.0, 300.0


class S3Store:
    """A DocumentStore. `run` uploads, until it is cancelled, what could not be uploaded at once."""

    def __init__(self, local: LocalStore, bucket: S3Bucket, output_dir: Path, *, wait_s: float, retry_s: float = _RETRY_S) -> None:
        self._local = local
        self._bucket = bucket
        self._outbox = Outbox(output_dir)
        self._wait_s = wait_s
        self._retry_s = retry_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="s3")
        self._busy: set[str] = set()
        self._tasks: set[asyncio.Task[RemoteCopy | None] | asyncio.Task[None]] = set()
        self._works = True

    @property
    def works(self) -> bool:
        """Whether S3 took the last document that was sent; True before the first."""
        return self._works

    async def create(self, source: SourceFile, *, include_running: bool = False, document_id: str | None = None) -> S3Folder:
        """Raises StorageFailed."""
        folder = await self._local.create(source, include_running=include_running, document_id=document_id)
        return S3Folder(folder, self, self.upload(folder.path))

    async def reopen(self, document_id: str, *, include_running: bool = False) -> S3Folder:
        """Raises StorageFailed. What an earlier start uploaded already is uploaded again at the end, or removed if the document comes to
        nothing: S3 is not asked what it has.
        """
        folder = await self._local.reopen(document_id, include_running=include_running)
        earlier = await asyncio.to_thread(finished_files, folder.path)
        return S3Folder(folder, self, self.upload(folder.path, earlier))

    def upload(self, folder: Path, earlier: Iterable[str] = ()) -> S3Upload:
        return S3Upload(self._bucket, folder, self._threads, earlier)

    async def run(self) -> None:
        """Send what waits, again and again, less often while S3 refuses."""
        pause_s = self._retry_s
        while True:
            sent_all = await self._send_waiting()
            pause_s = self._retry_s if sent_all else min(2 * pause_s, _MAX_RETRY_S)
            await asyncio.sleep(pause_s)

    async def aclose(self) -> None:
        """Uploads that have not begun stay in the outbox."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._bucket.close()

    async def finish(self, folder: LocalFolder, upload: S3Upload, result: DocumentResult) -> DocumentResult:
        """Finish the local folder, then wait a while for the upload. Raises StorageFailed, for the local folder only."""
        name = folder.document_id
        self._busy.add(name)  # the outbox leaves it alone
        try:
            await asyncio.to_thread(self._outbox.add, name)
            pending = RemoteCopy(RemoteStatus.PENDING, self._bucket.location(name))
            finished = await folder.finish(replace(result, remote=pending, warnings=(*result.warnings, NOT_UPLOADED)))
        except BaseException:
            self._busy.discard(name)
            raise
        task = asyncio.create_task(self._send(name, upload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done, _ = await asyncio.wait({task}, timeout=self._wait_s)
        copy = task.result() if done else None
        return finished if copy is None else replace(finished, remote=copy, warnings=result.warnings)

    def withdraw(self, upload: S3Upload) -> None:
        """Remove what was uploaded of a discarded document, in the background."""
        task = asyncio.create_task(_withdraw(upload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_waiting(self) -> bool:
        try:
            waiting = await asyncio.to_thread(self._outbox.waiting)
        except StorageFailed as error:
            log.warning("The outbox cannot be read", extra={"reason": error.detail})
            return False
        for folder in waiting:
            if folder.name in self._busy:
                continue
            self._busy.add(folder.name)
            if await self._send(folder.name, self.upload(folder)) is None:
                return False
        return True

    async def _send(self, document_id: str, upload: S3Upload) -> RemoteCopy | None:
        """None if S3 did not take it: it stays in the outbox."""
        try:
            copy = await upload.finish()
            await asyncio.to_thread(self._outbox.remove, document_id)
        except (S3Failed, StorageFailed) as error:
            self._works = self._works and not isinstance(error, S3Failed)
            log.warning("A document is not in S3 yet", extra={"document_id": document_id, "reason": str(error)})
            return None
        else:
            self._works = True
            log.info("A document is in S3", extra={"document_id": document_id})
            return copy
        finally:
            self._busy.discard(document_id)


async def _withdraw(upload: S3Upload) -> None:
    try:
        await upload.withdraw()
    except S3Failed as error:
        log.warning("Files of a discarded document stay in S3", extra={"reason": str(error)})


class S3Folder:
    """A DocumentFolder whose files go to S3, too."""

    def __init__(self, local: LocalFolder, store: S3Store, upload: S3Upload) -> None:
        self._local = local
        self._store = store
        self._upload = upload

    @property
    def document_id(self) -> str:
        return self._local.document_id

    @property
    def path(self) -> Path:
        return self._local.path

    async def write_page(self, result: PageResult) -> bytes:
        data = await self._local.write_page(result)
        if self._store.works:
            pictures = result.analysis.pictures if result.analysis else ()
            self._upload.begin([*(f"{IMAGES}/{picture.name}" for picture in pictures), f"{PAGES}/{result.page:04d}.json"])
        return data

    def page_files(self) -> Iterator[Path]:
        return self._local.page_files()

    def kept_pages(self) -> AsyncIterator[PageResult]:
        return self._local.kept_pages()

    async def finish(self, result: DocumentResult) -> DocumentResult:
        return await self._store.finish(self._local, self._upload, result)

    async def discard(self) -> None:
        self._store.withdraw(self._upload)
        await self._local.discard()
