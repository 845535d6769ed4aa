"""The page cache as Prometheus sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from ocr_service.storage.page_cache import CacheStats


class PageCacheCollector(Collector):
    """Reads the present state when Prometheus asks."""

    def __init__(self, stats: Callable[[], CacheStats]) -> None:
        self._stats = stats

    @override
    def collect(self) -> Iterator[Metric]:
        stats = self._stats()
        looks = CounterMetricFamily("ocr_page_cache_looks", "Pages that were looked for in the cache.", labels=["outcome"])
        looks.add_metric(["hit"], stats.hits)
        looks.add_metric(["miss"], stats.misses)
        yield looks
        yield CounterMetricFamily("ocr_page_cache_removed", "Kept pages that were removed: no room, or not needed for long.", stats.removed)
        yield CounterMetricFamily("ocr_page_cache_failures", "Pages that could not be kept or fetched.", stats.failures)
        yield GaugeMetricFamily("ocr_page_cache_bytes", "Disk that kept pages take, all replicas' together.", stats.size_bytes)
