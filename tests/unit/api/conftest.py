"""The application with a fake pipeline behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from ocr_service.api.app import create_app, framed
from ocr_service.api.metrics import Metrics
from ocr_service.api.monitor import Facts, Monitor
from ocr_service.api.options import OptionDefaults
from ocr_service.api.parts import Parts
from ocr_service.api.uploads import UploadFolder, UploadLimits
from ocr_service.pipeline.service import Stats
from tests.fakes.services import FakeArchive, FakeDocuments, FakeJobs, pool_stats


@dataclass
class Service:
    """The application and what stands behind it."""

    app: FastAPI
    documents: FakeDocuments
    uploads: UploadFolder
    monitor: Monitor
    metrics: Metrics

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(framed(self.app), raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            yield client

    def leftovers(self) -> list[str]:
        return [path.name for path in self.uploads.path.iterdir()]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    results = tmp_path / "results"
    results.mkdir()
    documents = FakeDocuments(results)
    uploads = UploadFolder(tmp_path)
    uploads.prepare(stale_s=600)
    facts = Facts(tmp_path, tmp_path / "models", "http://user:hush@vlm:8080/v1/markdown?key=hush", use_vlm_api=False)
    monitor = Monitor(facts, pool_stats, vlm_probe=None, s3_probe=None)
    metrics = Metrics()
    metrics.watch(pool_stats, lambda: Stats(documents=3, queued_pages=17, pages_in_flight=2, pages_per_s=1.5))
    app = create_app()
    app.state.parts = Parts(
        documents=documents,
        jobs=FakeJobs(documents),
        archive=FakeArchive(results),
        uploads=uploads,
        upload_limits=UploadLimits(max_bytes=1024 * 1024, idle_s=5),
        defaults=OptionDefaults(dpi=200, lang="ru", max_pages=2000, vlm_enabled=False),
        monitor=monitor,
        metrics=metrics,
        pool_stats=pool_stats,
    )
    yield Service(app, documents, uploads, monitor, metrics)
    assert documents.places_taken == 0
    assert list(uploads.path.iterdir()) == []
