"""Server-sent events by the rules, wherever the network cuts them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.client.errors import AnswerBroken
from ocr_service.client.events import Event, EventParser
from ocr_service.client.following import Following
from ocr_service.client.jobs import JobChanged, PageFinished
from tests.fakes.scripted_service import job_event, page_event


def parsed(*chunks: bytes) -> list[Event]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        # Examples of the standard, §9.2.6.
        (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event("message", "YHOO\n+2\n10", "")]),
        (
            b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
            [Event("message", "first event", "1"), Event("message", "second event", "")],
        ),
        (b"data\n\ndata\ndata\n\ndata:", [Event("message", "", ""), Event("message", "\n", "")]),
        (b"data:test\n\ndata: test\n\n", [Event("message", "test", ""), Event("message", "test", "")]),
        # Its rules.
        (b"\xef\xbb\xbfdata: a\n\n", [Event("message", "a", "")]),
        (b"data: \xef\xbb\xbfa\n\n", [Event("message", "\ufeffa", "")]),
        (b"event: page\rid: 7\rdata: a\r\revent: page\r\ndata: b\r\n\r\n", [Event("page", "a", "7"), Event("page", "b", "7")]),
        (b"event: lost\n\ndata: a\n\n", [Event("message", "a", "")]),
        (b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n", [Event("message", "a", "1"), Event("message", "b", "1")]),
        (b"retry: 10\nunknown: x\nEVENT: x\n data: y\ndata: a\n\n", [Event("message", "a", "")]),
        ("data: строка\u2028та же\u0085\n\n".encode(), [Event("message", "строка\u2028та же\u0085", "")]),
        (b"data: a\n", []),
        (b"data: \xff\n\n", [Event("message", "\ufffd", "")]),
    ],
)
def test_the_rules_wherever_the_stream_is_cut(stream: bytes, events: list[Event]) -> None:
    assert parsed(stream) == events
    for at in range(len(stream) + 1):
        assert parsed(stream[:at], stream[at:]) == events
    assert parsed(*(stream[at : at + 1] for at in range(len(stream)))) == events


@given(st.lists(st.binary(max_size=30)), st.integers(1, 7))
def test_pieces_make_no_difference_for_any_bytes(parts: list[bytes], size: int) -> None:
    stream = b"\n\n".join(b"data: " + part for part in parts) + b"\r\n\r\n"
    assert parsed(*(stream[at : at + size] for at in range(0, len(stream), size))) == parsed(stream)


def test_a_connection_that_breaks_at_any_byte_gives_every_page_once() -> None:
    pages = [page_event(number) for number in (1, 2, 3)]
    stream = job_event() + pages[0] + b":\n\n" + pages[1] + pages[2] + job_event("complete")
    for at in range(len(stream)):
        following = Following("id", 0)
        first = list(following.feed(stream[:at]))
        assert not following.is_over
        _, headers = following.request()
        last = int(headers["Last-Event-ID"])
        rest = list(following.feed(job_event() + b"".join(pages[last:]) + job_event("complete")))
        seen = [happening.number for happening in first + rest if isinstance(happening, PageFinished)]
        assert seen == [1, 2, 3]
        assert following.is_over
        assert isinstance(rest[-1], JobChanged)


def test_pages_that_came_before_are_not_told_again() -> None:
    following = Following("id", 1)
    assert [happening.number for happening in following.feed(page_event(1) + page_event(2)) if isinstance(happening, PageFinished)] == [2]


@pytest.mark.parametrize(
    "stream",
    [b"event: page\ndata: {}\n\n", b"event: page\nid: x\ndata: {}\n\n", b"event: job\ndata: {}\n\n", b"event: job\ndata: <html>\n\n"],
)
def test_what_is_not_the_services_is_told(stream: bytes) -> None:
    with pytest.raises(AnswerBroken, match="Is this address the OCR service's"):
        list(Following("id", 0).feed(stream))


def test_events_of_a_newer_service_are_passed_over() -> None:
    assert list(Following("id", 0).feed(b"event: news\ndata: x\n\n")) == []
