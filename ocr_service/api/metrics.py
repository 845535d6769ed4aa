"""Prometheus metrics: what the pipeline reports as it happens, and the state of the pool and the queue when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from ocr_service.api.page_cache_state import PageCacheCollector
from ocr_service.api.vlm_state import VlmStateCollector
from ocr_service.domain.blocks import RefinementStatus, Source
from ocr_service.domain.documents import PageAnalysis, PageResult
from ocr_service.domain.jobs import JobState
from ocr_service.domain.vlm import VlmTask
from ocr_service.pipeline.service import Stats
from ocr_service.storage.page_cache import CacheStats
from ocr_service.vlm.watching import ClientStats
from ocr_service.workers.confinement import MECHANISMS
from ocr_service.workers.stats import PoolStats

_PAGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_DOCUMENT_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)


class Metrics:
    """An Observer with a registry of its own, so that two services in one process do not meet."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._pages = Counter("ocr_pages", "Finished pages.", ["source", "status"], registry=self._registry)
        self._page_seconds = Histogram(
            "ocr_page_seconds", "From a page's start in a worker to its result on disk.", buckets=_PAGE_SECONDS, registry=self._registry
        )
        self._stage_seconds = Histogram(
            "ocr_page_stage_seconds", "Stages of a page.", ["stage"], buckets=_PAGE_SECONDS, registry=self._registry
        )
        self._documents = Counter("ocr_documents", "Finished documents.", ["outcome"], registry=self._registry)
        self._document_seconds = Histogram(
            "ocr_document_seconds", "From a document's upload to its end.", buckets=_DOCUMENT_SECONDS, registry=self._registry
        )
        self._vlm_questions = Counter("ocr_vlm_questions", "Questions to the VLM.", ["task", "outcome"], registry=self._registry)
        self._vlm_seconds = Histogram(
            "ocr_vlm_seconds", "A question to the VLM, its wait for a place included.", buckets=_PAGE_SECONDS, registry=self._registry
        )
        self._vlm_tokens = Counter("ocr_vlm_tokens", "Tokens by the VLM server's own count.", ["kind"], registry=self._registry)
        self._vlm_retries = Counter("ocr_vlm_retries", "Attempts that failed and were followed by another one.", registry=self._registry)
        self._refinements = Counter("ocr_refinements", "Blocks the VLM was asked about.", ["status"], registry=self._registry)
        self._upload_bytes = Counter("ocr_upload_bytes", "Bytes of accepted uploads.", registry=self._registry)

    def watch(self, pool_stats: Callable[[], PoolStats], pipeline_stats: Callable[[], Stats]) -> None:
        """Show these states, too, as they are when Prometheus asks."""
        self._registry.register(_StateCollector(pool_stats, pipeline_stats))

    def page_finished(self, document_id: str, result: PageResult, seconds: float) -> None:  # noqa: ARG002  a label would be endless
        self._pages.labels(source=page_source(result.analysis), status=result.status.value).inc()
        self._page_seconds.observe(seconds)
        if result.analysis is not None:
            for stage, stage_seconds in result.analysis.timings.items():
                self._stage_seconds.labels(stage=stage).observe(stage_seconds)
            for block in result.analysis.blocks:
                if block.refinement.status is not RefinementStatus.NOT_NEEDED:
                    self._refinements.labels(status=block.refinement.status.value).inc()

    def document_finished(
        self,
        document_id: str,  # noqa: ARG002
        outcome: str,
        pages_done: int,  # noqa: ARG002
        pages_asked: int,  # noqa: ARG002
        seconds: float,
    ) -> None:
        self._documents.labels(outcome=outcome).inc()
        self._document_seconds.observe(seconds)

    def worker_replaced(self, reason: str) -> None:
        """Counted by the pool itself, whose numbers are read at scrape time."""

    def vlm_asked(self, task: VlmTask, outcome: str, seconds: float, prompt_tokens: int, completion_tokens: int) -> None:
        self._vlm_questions.labels(task=task.value, outcome=outcome).inc()
        self._vlm_seconds.observe(seconds)
        self._vlm_tokens.labels(kind="prompt").inc(prompt_tokens)
        self._vlm_tokens.labels(kind="completion").inc(completion_tokens)

    def vlm_retried(self) -> None:
        self._vlm_retries.inc()

    def upload_received(self, size_bytes: int) -> None:
        self._upload_bytes.inc(size_bytes)

    def watch_vlm(self, stats: Callable[[], ClientStats]) -> None:
        """Show the VLM client's state, too."""
        self._registry.register(VlmStateCollector(stats))

    def watch_jobs(self, counts: Callable[[], dict[JobState, int]]) -> None:
        """Show how many jobs there are, too."""
        self._registry.register(_JobsCollector(counts))

    def watch_page_cache(self, stats: Callable[[], CacheStats]) -> None:
        """Show what the page cache does, too."""
        self._registry.register(PageCacheCollector(stats))

    def render(self) -> bytes:
        """The text format that Prometheus reads."""
        return generate_latest(self._registry)


def page_source(analysis: PageAnalysis | None) -> str:
    """text_layer | ocr | mixed, by who read the blocks; a page without blocks by its text layer's verdict; "none" if it failed."""
    if analysis is None:
        return "none"
    own = {block.source is Source.TEXT_LAYER for block in analysis.blocks} or {analysis.text_layer.used}
    if len(own) > 1:
        return "mixed"
    return "text_layer" if own.pop() else "ocr"


class _JobsCollector(Collector):
    """Jobs by state, documents of POST /ocr/pdf included."""

    def __init__(self, counts: Callable[[], dict[JobState, int]]) -> None:
        self._counts = counts

    @override
    def collect(self) -> Iterator[Metric]:
        counts = self._counts()
        jobs = GaugeMetricFamily("ocr_jobs", "Jobs that wait and run, of all replicas.", labels=["state"])
        finished = CounterMetricFamily("ocr_jobs_finished", "Jobs that ended here.", labels=["state"])
        for state in JobState:
            (finished if state.is_over else jobs).add_metric([state.value], counts.get(state, 0))
        yield jobs
        yield finished


class _StateCollector(Collector):
    """Reads the present state when Prometheus asks."""

    def __init__(self, pool_stats: Callable[[], PoolStats], pipeline_stats: Callable[[], Stats]) -> None:
        self._pool_stats = pool_stats
        self._pipeline_stats = pipeline_stats

    @override
    def collect(self) -> Iterator[Metric]:
        pool, queue = self._pool_stats(), self._pipeline_stats()
        yield GaugeMetricFamily("ocr_queued_pages", "Pages that wait for a worker.", queue.queued_pages)
        yield GaugeMetricFamily("ocr_pages_in_flight", "Pages that are read.", queue.pages_in_flight)
        yield GaugeMetricFamily("ocr_capacity_pages_per_second", "Measured speed with all workers busy.", queue.pages_per_s)
        yield GaugeMetricFamily("ocr_documents_in_service", "Documents in the service, uploads included.", queue.documents)
        workers = GaugeMetricFamily("ocr_workers", "Page workers.", labels=["state"])
        for state, count in (("ready", pool.ready), ("busy", pool.busy), ("starting", pool.starting)):
            workers.add_metric([state], count)
        yield workers
        walls = GaugeMetricFamily("ocr_worker_confinement", "Whether page workers are confined by it.", labels=["mechanism"])
        for mechanism in MECHANISMS:
            walls.add_metric([mechanism], mechanism in pool.walls)
        yield walls
        restarts = CounterMetricFamily("ocr_worker_restarts", "Page workers that were renewed.", labels=["reason"])
        for reason, count in pool.restarts.items():
            restarts.add_metric([reason], count)
        yield restarts
        rss = GaugeMetricFamily("ocr_rss_bytes", "Resident memory.", labels=["process"])
        rss.add_metric(["api"], _own_rss_bytes())
        for number, process_id in enumerate(sorted(pool.rss_bytes)):  # by number: process ids would grow labels without end
            rss.add_metric([f"worker-{number}"], pool.rss_bytes[process_id])
        yield rss


def _own_rss_bytes() -> int:
    """VmRSS of this process; 0 where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)
