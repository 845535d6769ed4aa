"""One page through the engine of the page workers, in a worker as the service starts it."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path

from ocr_service.api.metrics import Metrics
from ocr_service.bootstrap import pool_config
from ocr_service.domain.documents import MediaType, PageOptions, SourceFile
from ocr_service.domain.errors import ServiceError
from ocr_service.placement import place_here
from ocr_service.settings import Settings
from ocr_service.warming.samples import NUMBER, page_pdf
from ocr_service.warming.table import Row, WarmupFailed, timed
from ocr_service.workers.pool import WorkerPool

_PATIENCE_S = 300.0


def warm_up_page(settings: Settings, engine: str | None = None) -> Row:
    """`engine`: instead of the one that the settings choose. Raises WarmupFailed, SettingsError."""
    with tempfile.TemporaryDirectory(prefix="ocr-warmup-") as folder:
        path = Path(folder) / "page.pdf"
        path.write_bytes(page_pdf())
        source = SourceFile(path, MediaType.PDF, path.name, hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        seconds, (name, text) = timed(lambda: asyncio.run(_read(settings, engine, source)))
    if NUMBER not in text:
        raise WarmupFailed(f"layout and OCR: {NUMBER} was to be read, not {text[:100]!r}")
    return Row("layout and OCR", seconds, name)


async def _read(settings: Settings, engine: str | None, source: SourceFile) -> tuple[str, str]:
    config = pool_config(settings, place_here(settings, engine))
    # The page lies in a folder of its own, not where the service's documents do.
    confinement = replace(config.confinement, readable=(*config.confinement.readable, source.path.parent))
    config = replace(config, capacity=1, confinement=confinement)
    try:
        async with asyncio.timeout(_PATIENCE_S), WorkerPool(config, Metrics()) as pool:
            analysis, _attempts = await pool.analyse(source, 1, PageOptions(lang=settings.ocr_lang))
            return pool.engine, " ".join(block.content for block in analysis.blocks)
    except TimeoutError:
        raise WarmupFailed(f"layout and OCR: no page within {_PATIENCE_S:.0f} s") from None
    except ServiceError as error:
        raise WarmupFailed(f"layout and OCR: {error.detail}") from error
