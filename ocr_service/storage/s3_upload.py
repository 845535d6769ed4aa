"""One document's way to S3. Pages may go while others are still read; `result.json` goes last: who finds it there finds the rest, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

import msgspec

from ocr_service.domain.documents import RemoteCopy, RemoteStatus
from ocr_service.outputs.document_json import DocumentJson, S3Json, rewrite_summary
from ocr_service.storage.reading import RESULT, media_type_of
from ocr_service.storage.s3_bucket import S3Bucket, S3Failed

# A dot in front: readers of the folder do not take it for a result.
_UPLOADED_RESULT = ".result.json.uploaded"
NOT_UPLOADED = "s3: the files are not in S3 yet; they are kept in OUTPUT_DIR and uploaded as soon as S3 takes them"


_Answer = TypeVar("_Answer")


class S3Upload:
    """Belongs to the event loop; every call to S3 runs in the executor's threads. `earlier`: what an earlier start may have uploaded."""

    def __init__(self, bucket: S3Bucket, folder: Path, threads: Executor, earlier: Iterable[str] = ()) -> None:
        self._bucket = bucket
        self._folder = folder
        self._threads = threads
        self._earlier = frozenset(earlier)
        self._done: set[str] = set()
        self._early: set[asyncio.Task[None]] = set()
        self._broken = False

    def begin(self, names: Iterable[str]) -> None:
        """Upload files that will not change any more while the rest of the document is still read."""
        for name in names:
            task = asyncio.create_task(self._put_early(name))
            self._early.add(task)
            task.add_done_callback(self._early.discard)

    async def finish(self) -> RemoteCopy:
        """Upload what is not there yet of a finished document, then say so in its `result.json`. Raises S3Failed, StorageFailed."""
        await asyncio.gather(*self._early)
        names = await asyncio.to_thread(finished_files, self._folder)
        results = await asyncio.gather(*(self._put(name) for name in names if name not in self._done), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return await self._in_thread(self._finish_result)

    async def withdraw(self) -> None:
        """Remove what was uploaded of a document that came to nothing. Raises S3Failed."""
        self._broken = True
        await asyncio.gather(*self._early)
        if uploaded := self._done | self._earlier:
            await self._in_thread(lambda: self._bucket.delete([self._key(name) for name in sorted(uploaded)]))

    async def _put_early(self, name: str) -> None:
        """A failure is no one's yet: `finish` tries again."""
        if self._broken:
            return
        try:
            await self._put(name)
        except S3Failed:
            self._broken = True

    async def _put(self, name: str) -> None:
        await self._in_thread(lambda: self._bucket.put(self._folder / name, self._key(name), media_type_of(name)))
        self._done.add(name)

    def _finish_result(self) -> RemoteCopy:
        target, result = self._folder / _UPLOADED_RESULT, self._folder / RESULT
        try:
            summary = rewrite_summary(result, target, self._as_uploaded)
            self._bucket.put(target, self._key(RESULT), media_type_of(RESULT))
            target.replace(result)
        except (OSError, msgspec.DecodeError) as error:
            raise S3Failed(type(error).__name__) from None
        finally:
            target.unlink(missing_ok=True)
        assert summary.s3 is not None
        return RemoteCopy(summary.s3.status, summary.s3.location, summary.s3.urls)

    def _as_uploaded(self, summary: DocumentJson) -> DocumentJson:
        urls = {output: self._bucket.link(self._key(name)) for output, name in summary.outputs.items()}
        copy = S3Json(RemoteStatus.UPLOADED, self._bucket.location(self._folder.name), urls)
        return msgspec.structs.replace(summary, s3=copy, warnings=[text for text in summary.warnings if text != NOT_UPLOADED])

    def _key(self, name: str) -> str:
        return self._bucket.key(self._folder.name, name)

    async def _in_thread(self, call: Callable[[], _Answer]) -> _Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)


def finished_files(folder: Path) -> list[str]:
    """Every whole file of the document but `result.json`, by its path in the folder."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(name) for name in names if str(name) != RESULT and not any(part.startswith(".") for part in name.parts))
