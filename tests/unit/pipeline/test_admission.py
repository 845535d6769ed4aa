"""What is let in, and how long those that are not should wait."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.errors import Overloaded
from ocr_service.pipeline.admission import Admission
from ocr_service.pipeline.page_rate import PageRate


def admission(max_documents: int = 2, max_queued_pages: int = 10, page_s: float = 2.0) -> Admission:
    rate = PageRate(capacity=1)
    rate.page_took(page_s)
    return Admission(max_documents, max_queued_pages, rate)


def test_no_more_documents_than_there_are_places() -> None:
    service = admission(max_documents=2)
    with ExitStack() as places:
        places.enter_context(service.place())
        places.enter_context(service.place())
        with pytest.raises(Overloaded) as caught, service.place():
            pass
        assert caught.value.retry_after_s >= 1
    with service.place():
        assert service.documents == 1


def test_those_who_are_refused_are_told_to_come_one_after_the_other() -> None:
    now = 1000.0
    rate = PageRate(capacity=1)
    rate.page_took(2.0)
    service = Admission(5, 100, rate, clock=lambda: now)

    def refused() -> int:
        with pytest.raises(Overloaded) as caught, service.place():
            pass
        return caught.value.retry_after_s

    with ExitStack() as places:
        for _ in range(5):
            places.enter_context(service.place())
        assert [refused() for _ in range(8)] == [2, 4, 6, 8, 10, 10, 10, 10], "by then all who are in now are over"
        now += 6
        assert refused() == 6
        now += 1000
        assert refused() == 2


def test_an_impatient_client_sends_nobody_away_for_long() -> None:
    service = admission(max_documents=64, max_queued_pages=10_000, page_s=1.0)
    with ExitStack() as places:
        for _ in range(64):
            places.enter_context(service.place())
        service.admit(640)
        waits = []
        for _ in range(1000):
            with pytest.raises(Overloaded) as caught, service.place():
                pass
            waits.append(caught.value.retry_after_s)
    assert waits[0] == 11
    assert max(waits) == 60


def test_pages_that_do_not_fit_are_refused_for_as_long_as_the_queue_needs_to_make_room() -> None:
    service = admission(max_queued_pages=10, page_s=2.0)
    service.admit(8)
    with pytest.raises(Overloaded, match="8 pages are waiting already; 5 more do not fit") as caught:
        service.admit(5)
    assert caught.value.retry_after_s == 6
    service.admit(2)


def test_a_document_larger_than_the_queue_is_let_in_when_nothing_else_waits() -> None:
    service = admission(max_queued_pages=10)
    ticket = service.admit(300)
    with pytest.raises(Overloaded):
        service.admit(1)
    ticket.close()
    service.admit(1)


def test_pages_that_begin_and_documents_that_end_make_room_at_once() -> None:
    service = admission(max_queued_pages=10)
    ticket = service.admit(10)
    ticket.page_begins()
    assert service.queued_pages == 9
    ticket.close()
    ticket.close()
    assert service.queued_pages == 0


def test_before_any_page_was_measured_the_wait_is_sensible() -> None:
    assert PageRate(capacity=2).retry_after_s(20) == 10


@given(pages=st.integers(0, 10**9), seconds=st.lists(st.floats(0, 10**6)), capacity=st.integers(1, 128))
def test_the_wait_is_always_between_a_second_and_an_hour(pages: int, seconds: list[float], capacity: int) -> None:
    rate = PageRate(capacity)
    for page_s in seconds:
        rate.page_took(page_s)
    assert 1 <= rate.retry_after_s(pages) <= 3600


def test_the_rate_follows_the_pages_of_late() -> None:
    rate = PageRate(capacity=2)
    for _ in range(100):
        rate.page_took(10.0)
    assert rate.pages_per_s == pytest.approx(0.2)
    for _ in range(100):
        rate.page_took(0.5)
    assert rate.pages_per_s == pytest.approx(4.0, rel=0.01)
