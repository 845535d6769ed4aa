"""The state of the VLM's client, read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from ocr_service.vlm.breaker import BreakerState
from ocr_service.vlm.watching import ClientStats


class VlmStateCollector(Collector):
    """Questions in flight and in line, and whether the circuit breaker lets them through."""

    def __init__(self, stats: Callable[[], ClientStats]) -> None:
        self._stats = stats

    @override
    def collect(self) -> Iterator[Metric]:
        stats = self._stats()
        yield GaugeMetricFamily("ocr_vlm_in_flight", "Questions that the VLM server has.", stats.in_flight)
        yield GaugeMetricFamily("ocr_vlm_waiting", "Questions that wait for a place at the VLM server.", stats.waiting)
        breaker = GaugeMetricFamily("ocr_vlm_breaker", "1 for the present state of the circuit breaker.", labels=["state"])
        for state in BreakerState:
            breaker.add_metric([state.value], float(state is stats.breaker))
        yield breaker
