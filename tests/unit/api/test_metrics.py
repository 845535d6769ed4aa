"""Which source a page is counted under, and stage times."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ocr_service.api.metrics import Metrics, page_source
from ocr_service.domain.blocks import Source
from ocr_service.domain.documents import PageAnalysis, PageError, PageResult, TextLayerVerdict
from ocr_service.vlm.breaker import BreakerState
from ocr_service.vlm.watching import ClientStats
from tests.fakes.services import page_result


def analysis(*sources: Source, own_text: bool = False) -> PageAnalysis:
    whole = page_result(1).analysis
    assert whole is not None
    blocks = tuple(replace(whole.blocks[0], source=source) for source in sources)
    return replace(whole, blocks=blocks, text_layer=TextLayerVerdict(own_text, ""))


@pytest.mark.parametrize(
    ("page", "source"),
    [
        (analysis(Source.TEXT_LAYER, Source.TEXT_LAYER), "text_layer"),
        (analysis(Source.OCR, Source.TABLE_MODEL), "ocr"),
        (analysis(Source.TEXT_LAYER, Source.OCR), "mixed"),
        (analysis(own_text=True), "text_layer"),
        (analysis(), "ocr"),
        (None, "none"),
    ],
)
def test_a_page_is_counted_under_who_read_it(page: PageAnalysis | None, source: str) -> None:
    assert page_source(page) == source


def test_pages_and_their_stages_are_counted() -> None:
    metrics = Metrics()
    metrics.page_finished("id", page_result(1), 0.3)
    metrics.page_finished("id", PageResult(2, error=PageError("page_timed_out", "")), 60.0)
    text = metrics.render().decode()
    for line in (
        'ocr_pages_total{source="text_layer",status="ok"} 1.0',
        'ocr_pages_total{source="none",status="failed"} 1.0',
        'ocr_page_stage_seconds_sum{stage="read"} 0.25',
        "ocr_page_seconds_count 2.0",
    ):
        assert line in text


def test_the_state_of_the_vlm_client_is_read_when_it_is_asked_for() -> None:
    metrics = Metrics()
    present = ClientStats(BreakerState.CLOSED, in_flight=3, waiting=4)
    metrics.watch_vlm(lambda: present)
    present = ClientStats(BreakerState.OPEN, in_flight=1, waiting=0)
    text = metrics.render().decode()
    for line in (
        "ocr_vlm_in_flight 1.0",
        "ocr_vlm_waiting 0.0",
        'ocr_vlm_breaker{state="open"} 1.0',
        'ocr_vlm_breaker{state="closed"} 0.0',
        'ocr_vlm_breaker{state="half_open"} 0.0',
    ):
        assert line in text
