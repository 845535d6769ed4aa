"""The composition root: builds the parts from the settings, wires them, and runs the server until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from ocr_service.api import logs
from ocr_service.api.app import create_app, framed
from ocr_service.api.connections import ConnectionLimits
from ocr_service.api.gate import Rules
from ocr_service.api.key_limits import KeyLimits
from ocr_service.api.keys import ApiKeys, lines_of
from ocr_service.api.metrics import Metrics
from ocr_service.api.monitor import Facts, Monitor
from ocr_service.api.options import OptionDefaults
from ocr_service.api.parts import Parts
from ocr_service.api.server import Server
from ocr_service.api.uploads import UploadFolder, UploadLimits
from ocr_service.domain.documents import VlmPolicy
from ocr_service.engines.config import EngineConfig
from ocr_service.jobs.config import JobsConfig
from ocr_service.jobs.database import sqlalchemy_url
from ocr_service.jobs.service import JobService
from ocr_service.models.catalogue import known_models
from ocr_service.models.manifest import usable
from ocr_service.pipeline import service as pipeline
from ocr_service.pipeline.page_cache import CachedWorkers, KeepingRefiner
from ocr_service.pipeline.refinement.refiner import Refiner
from ocr_service.placement import STRUCTURE_V3, Placement, Walls, place_here
from ocr_service.settings import Settings, SettingsError
from ocr_service.storage.local import LocalStore
from ocr_service.storage.page_cache import PageCache
from ocr_service.storage.s3_bucket import S3Bucket, S3Config
from ocr_service.storage.s3_probe import s3_reachable
from ocr_service.storage.s3_store import S3Store
from ocr_service.vlm.client import VlmClient
from ocr_service.vlm.config import ClientConfig
from ocr_service.vlm.none import NoRefinement
from ocr_service.workers.config import MEBIBYTE, Confinement, ConfinementMode, PoolConfig
from ocr_service.workers.pool import WorkerPool

log = logging.getLogger(__name__)

WRONG_SETTINGS_STATUS = 2


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that have a life of their own."""

    pool: WorkerPool
    documents: pipeline.DocumentService
    jobs: JobService
    monitor: Monitor
    app: FastAPI
    rules: Rules


def build(settings: Settings, placement: Placement) -> Service:
    """Make the parts; nothing runs yet. `placement`: the page workers' engine and machine. Raises SettingsError."""
    rules = access_rules(settings)
    Walls.look(settings)
    uploads = UploadFolder(settings.output_dir.expanduser().resolve())
    try:
        uploads.prepare(stale_s=_stale_s(settings))
    except OSError as error:
        raise SettingsError(f"OUTPUT_DIR: {settings.output_dir} cannot be written ({error.strerror})") from error
    metrics = Metrics()
    pool = WorkerPool(pool_config(settings, placement), metrics)
    store = LocalStore(uploads.output_dir)
    s3 = _s3_store(settings, store, uploads.output_dir)
    vlm = VlmClient(_client_config(settings), metrics) if settings.use_vlm_api else None
    refiner = NoRefinement() if vlm is None else Refiner(vlm, settings.vlm_concurrency, settings.vlm_page_timeout_s)
    cache = _page_cache(settings, uploads.output_dir, metrics)
    parts = pipeline.Parts(pool, s3 or store, refiner, metrics)
    if cache is not None:
        cached = CachedWorkers(pool, cache, vlm.identity if vlm is not None else _no_vlm)
        parts = replace(parts, workers=cached, refiner=KeepingRefiner(refiner, cache))
    documents = pipeline.DocumentService(parts, _limits(settings))
    metrics.watch(pool.stats, documents.stats)
    if vlm is not None:
        metrics.watch_vlm(vlm.stats)
    monitor = _monitor(settings, placement, uploads, pool, s3, vlm)
    jobs = JobService(jobs_config(settings, uploads.output_dir), documents, s3 or store, uploads.output_dir)
    metrics.watch_jobs(jobs.counts)
    app = create_app(partial(_lifespan, pool, monitor, s3, vlm, cache, jobs), guarded=bool(rules.keys))
    app.state.parts = Parts(
        documents=documents,
        jobs=jobs,
        archive=store,
        uploads=uploads,
        upload_limits=UploadLimits(settings.ocr_max_upload_mb * MEBIBYTE, settings.ocr_upload_timeout_s),
        defaults=OptionDefaults(
            settings.ocr_dpi, settings.ocr_lang, settings.ocr_max_pages, settings.use_vlm_api, VlmPolicy(settings.vlm_policy)
        ),
        monitor=monitor,
        metrics=metrics,
        pool_stats=pool.stats,
    )
    return Service(pool, documents, jobs, monitor, app, rules)


def access_rules(settings: Settings) -> Rules:
    """Who may use the service, and how much. Raises SettingsError."""
    entries = settings.ocr_api_keys.get_secret_value().split(",") if settings.ocr_api_keys is not None else []
    try:
        if settings.ocr_api_keys_file is not None:
            entries += lines_of(settings.ocr_api_keys_file.read_text(encoding="utf-8"))
        keys = ApiKeys.parse(entries)
    except OSError as error:
        raise SettingsError(f"OCR_API_KEYS_FILE: {settings.ocr_api_keys_file} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingsError(f"OCR_API_KEYS: {error}") from None
    if not keys and (settings.ocr_api_keys is not None or settings.ocr_api_keys_file is not None):
        raise SettingsError("OCR_API_KEYS: there is no key in it, which would leave the service open to all")
    token = settings.ocr_metrics_token
    try:
        metrics_token = ApiKeys.parse([f"metrics:{token.get_secret_value()}"] if token is not None else [])
    except ValueError as error:
        raise SettingsError(f"OCR_METRICS_TOKEN: {error}") from None
    limits = KeyLimits(at_once=settings.ocr_key_documents_at_once, per_minute=settings.ocr_key_documents_per_minute)
    return Rules(keys, limits, metrics_token, settings.ocr_metrics_open)


def pool_config(settings: Settings, placement: Placement) -> PoolConfig:
    """How page workers are started, for the service and for its warm-up."""
    return PoolConfig(
        engine_config=EngineConfig(
            models_path=settings.models_path,
            tessdata=settings.ocr_tessdata,
            max_pages=settings.ocr_max_pages,
            max_page_megapixels=settings.ocr_max_page_megapixels,
            lang=settings.ocr_lang,
            device=placement.device,
            runtime=settings.ocr_runtime,
            gpu_share=settings.page_gpu_share,
        ),
        engine=placement.engine,
        capacity=placement.workers,
        memory_limit_bytes=placement.memory_mb * MEBIBYTE,
        recycle_bytes=placement.recycle_mb * MEBIBYTE,
        max_pages=settings.ocr_worker_max_pages,
        page_timeout_s=settings.ocr_page_timeout_s,
        inspect_timeout_s=settings.ocr_inspect_timeout_s,
        confinement=_confinement(settings, placement),
        environment=placement.environment,
        seats=placement.seats,
    )


def _confinement(settings: Settings, placement: Placement) -> Confinement:
    return Confinement(
        mode=ConfinementMode(settings.ocr_worker_confinement),
        readable=(settings.output_dir.expanduser().resolve(), *map(Path, filter(None, (settings.ld_library_path or "").split(":")))),
        devices=placement.engine == STRUCTURE_V3,
        file_limit_bytes=max(1024, 10 * settings.ocr_max_upload_mb) * MEBIBYTE,
    )


def _client_config(settings: Settings) -> ClientConfig:
    key = settings.vlm_api_key.get_secret_value() if settings.vlm_api_key is not None else None
    return ClientConfig(settings.vllm_url, key, settings.vlm_model_name or "", settings.vlm_concurrency)


def _limits(settings: Settings) -> pipeline.Limits:
    return pipeline.Limits(
        max_documents=settings.ocr_max_documents,
        max_queued_pages=settings.ocr_max_queued_pages,
        document_timeout_s=settings.ocr_document_timeout_s,
        # Enough pages that every place of the VLM has a question, even if each page has only one.
        max_refining_pages=max(8, settings.vlm_concurrency),
    )


def jobs_config(settings: Settings, output_dir: Path) -> JobsConfig:
    """Where jobs are kept, and how many. Makes the folder of the embedded database. Raises OSError."""
    url = settings.ocr_jobs_database.get_secret_value() if settings.ocr_jobs_database is not None else None
    if url is None:
        folder = output_dir / ".jobs"
        folder.mkdir(exist_ok=True)
        url = f"sqlite:///{folder / 'jobs.sqlite'}"
    secret = settings.ocr_webhook_secret.get_secret_value().encode() if settings.ocr_webhook_secret is not None else None
    return JobsConfig(
        database=sqlalchemy_url(url),
        max_waiting=settings.ocr_jobs_max_waiting,
        at_a_time=settings.ocr_jobs_at_a_time,
        lease_s=settings.ocr_jobs_lease_s,
        keep_s=settings.ocr_results_keep_s,
        stray_s=_stale_s(settings),
        min_free_bytes=settings.ocr_jobs_min_free_mb * MEBIBYTE,
        webhook_secret=secret,
        webhook_private=settings.ocr_webhook_private,
        webhook_attempts=settings.ocr_webhook_attempts,
        webhook_pause_s=settings.ocr_webhook_pause_s,
    )


def _stale_s(settings: Settings) -> float:
    """How old what nobody works on must be, so that it is what a crash left and not what another replica is receiving at this moment."""
    return 10 * settings.ocr_upload_timeout_s


def _s3_store(settings: Settings, local: LocalStore, output_dir: Path) -> S3Store | None:
    if not (
        settings.cloudru_s3_endpoint and settings.cloudru_s3_bucket and settings.cloudru_s3_access_key and settings.cloudru_s3_secret_key
    ):
        return None
    config = S3Config(
        endpoint=settings.cloudru_s3_endpoint,
        bucket=settings.cloudru_s3_bucket,
        access_key=settings.cloudru_s3_access_key.get_secret_value(),
        secret_key=settings.cloudru_s3_secret_key.get_secret_value(),
        region=settings.ocr_s3_region,
        prefix=settings.ocr_s3_prefix or "",
        path_style=settings.ocr_s3_path_style,
        public_endpoint=settings.ocr_s3_public_endpoint,
        link_s=settings.ocr_s3_link_s,
    )
    return S3Store(local, S3Bucket(config), output_dir, wait_s=settings.ocr_s3_wait_s)


def _page_cache(settings: Settings, output_dir: Path, metrics: Metrics) -> PageCache | None:
    if settings.ocr_page_cache_mb == 0:
        return None
    cache = PageCache(output_dir, settings.ocr_page_cache_mb * MEBIBYTE, settings.ocr_page_cache_days)
    metrics.watch_page_cache(cache.stats)
    return cache


async def _no_vlm() -> str:
    return ""


async def _s3_works(endpoint: str, store: S3Store) -> bool:
    return store.works and await s3_reachable(endpoint)


def models_check(settings: Settings, placement: Placement) -> Callable[[], bool]:
    """Cheap: whether the models that the engine cannot do without are there, and none that was preloaded is broken."""
    return partial(usable, settings.models_path, placement.models, optional=known_models())


def _monitor(
    settings: Settings, placement: Placement, uploads: UploadFolder, pool: WorkerPool, s3: S3Store | None, vlm: VlmClient | None
) -> Monitor:
    facts = Facts(uploads.output_dir, settings.models_path, settings.vllm_url, settings.use_vlm_api)
    return Monitor(
        facts,
        pool.stats,
        vlm_probe=vlm.available if vlm is not None else None,
        models_check=models_check(settings, placement),
        s3_probe=partial(_s3_works, settings.cloudru_s3_endpoint, s3) if settings.cloudru_s3_endpoint and s3 else None,
    )


@asynccontextmanager
async def _lifespan(
    pool: WorkerPool,
    monitor: Monitor,
    s3: S3Store | None,
    vlm: VlmClient | None,
    cache: PageCache | None,
    jobs: JobService,
    _app: FastAPI,
) -> AsyncIterator[None]:
    async with pool, jobs.running():
        background = [asyncio.create_task(monitor.run())]
        if s3 is not None:
            background.append(asyncio.create_task(s3.run()))
        if cache is not None:
            background.append(asyncio.create_task(cache.run()))
        try:
            yield
        finally:
            for task in background:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if s3 is not None:
                await s3.aclose()
            if vlm is not None:
                await vlm.aclose()


async def _serve(settings: Settings, placement: Placement) -> None:
    service = build(settings, placement)
    log.info(
        "The page engine is chosen",
        extra={"engine": placement.engine, "device": placement.device, "workers": placement.workers, "reason": placement.reason},
    )

    async def drain(grace_s: float) -> None:
        service.monitor.start_draining()
        await service.jobs.drain()
        await service.documents.drain(grace_s)

    app = framed(service.app, service.rules, settings.cors_origins)
    limits = ConnectionLimits(settings.ocr_max_connections, settings.ocr_header_timeout_s)
    server = Server(app, (settings.ocr_host, settings.ocr_port), drain, settings.ocr_shutdown_grace_s, limits)
    await server.serve()


def run(settings: Settings, *, engine: str | None = None) -> int:
    """Serve until a signal; returns the exit status. `engine`: instead of the one that the settings choose. Raises SettingsError."""
    logs.configure(settings.ocr_log_level)
    asyncio.run(_serve(settings, place_here(settings, engine)))
    return 0


def main() -> int:
    """The service as deployed: settings from the environment, one line on standard error if they are wrong."""
    try:
        return run(Settings.from_environment())
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_SETTINGS_STATUS
