"""The pipeline with real worker processes and the real store: the promises that fakes cannot vouch for."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

from ocr_service.domain.documents import DocumentOptions, DocumentStatus, MediaType, SourceFile
from ocr_service.engines.config import EngineConfig
from ocr_service.pipeline.service import DocumentService, Limits, Parts
from ocr_service.storage.local import LocalStore
from ocr_service.vlm.none import NoRefinement
from ocr_service.workers.config import PoolConfig
from ocr_service.workers.pool import WorkerPool
from tests.fakes.observer import RecordingObserver
from tests.fakes.scenario import eventually, run


def upload(folder: Path, pages: int) -> SourceFile:
    """A document for the engine `takes_a_moment`: its content is the number of its pages."""
    path = folder / "upload"
    path.write_bytes(str(pages).encode())
    return SourceFile(path, MediaType.PDF, "scan.pdf", "00", 2)


def test_a_document_of_fifty_pages_is_complete_though_all_workers_are_killed_twice_in_the_middle_of_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        config = PoolConfig(EngineConfig(tmp_path), "tests.faults.takes_a_moment:build", capacity=2, temporary_root=tmp_path)
        async with WorkerPool(config, observer) as pool:
            service = DocumentService(Parts(pool, LocalStore(tmp_path / "output"), NoRefinement(), observer), Limits())
            journey = await service.start(upload(tmp_path, 50), DocumentOptions())
            seen: list[int] = []
            async for page, body in journey.pages():
                assert json.loads(body)["status"] == "ok"
                seen.append(page.page)
                if len(seen) in {10, 25}:
                    for pid in pool.stats().rss_bytes:
                        os.kill(pid, signal.SIGKILL)
            result = await journey.result()
        assert sorted(seen) == list(range(1, 51))
        assert (result.status, result.failed_pages, result.engine) == (DocumentStatus.COMPLETE, (), "well behaved")
        assert len(list((tmp_path / "output" / journey.document_id / "pages").iterdir())) == 50
        assert len(observer.replaced) >= 2

    run(scenario())


def test_documents_of_many_clients_at_once_are_all_complete(tmp_path: Path) -> None:
    async def scenario() -> None:
        observer = RecordingObserver()
        config = PoolConfig(EngineConfig(tmp_path), "tests.faults.takes_a_moment:build", capacity=2, temporary_root=tmp_path, max_pages=20)
        async with WorkerPool(config, observer) as pool:
            service = DocumentService(Parts(pool, LocalStore(tmp_path / "output"), NoRefinement(), observer), Limits())

            async def client(number: int) -> DocumentStatus:
                folder = tmp_path / str(number)
                folder.mkdir()
                return (await (await service.start(upload(folder, 5), DocumentOptions())).result()).status

            assert await asyncio.gather(*map(client, range(16))) == [DocumentStatus.COMPLETE] * 16
            # The renewal began in the middle; the pages did not wait for it.
            await eventually(lambda: "recycled" in observer.replaced)
        assert len(observer.pages) == 80

    run(scenario())
