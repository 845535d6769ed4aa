"""The frames between pool and worker."""

from __future__ import annotations

import pickle
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.domain.blocks import Block, LayoutLabel, Source, TableCell, TableGrid, TextLine
from ocr_service.domain.documents import MediaType, PageAnalysis, PageOptions, Picture, SourceFile, TextLayerVerdict
from ocr_service.domain.geometry import BBox, Point, Upright
from ocr_service.workers.protocol import (
    LENGTH,
    Analyse,
    Analysed,
    ProtocolViolation,
    Reply,
    Request,
    body_length,
    decode_reply,
    decode_request,
    frame,
)

SOURCE = SourceFile(Path("/out/source.pdf"), MediaType.PDF, "Протокол.pdf", "00", 5, "пароль")


def test_a_request_arrives_as_it_was_sent() -> None:
    request = Request(7, Analyse(SOURCE, 3, PageOptions(dpi=300)))
    assert decode_request(frame(request, 10_000)[LENGTH.size :]) == request


def test_a_page_with_everything_on_it_arrives_as_it_was_sent() -> None:
    box = BBox(1, 2.5, 3, 4)
    table = TableGrid(1, 1, (TableCell(0, 0, "Итого", bbox=box),))
    block = Block("b1", LayoutLabel.TABLE, box, 0, "x", Source.OCR, polygon=(Point(1, 2),), lines=(TextLine(box, "t", 0.5),), table=table)
    verdict = TextLayerVerdict(used=True, reason="trusted")
    picture = Picture("p0001-b01.png", MediaType.PNG, b"\x89PNG")
    reply = Reply(1, Analysed(PageAnalysis(1, 200, Upright(10, 20, 90, 0.5), verdict, (block,), (picture,), {"ocr": 0.5}, ("w",))))
    assert decode_reply(frame(reply, 10_000)[LENGTH.size :]) == reply


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(ProtocolViolation, match="longer than the 10"):
        frame(Request(1, Analyse(SOURCE, 1, PageOptions())), 10)


def test_the_announcement_of_a_message_that_is_too_long_is_refused_before_it_is_read() -> None:
    with pytest.raises(ProtocolViolation):
        body_length(b"\xff\xff\xff\xff", 1000)


@given(st.binary(max_size=200))
def test_no_bytes_can_do_more_than_break_the_protocol(body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode_reply(body)


@pytest.mark.parametrize(
    "body",
    [
        pickle.dumps(SOURCE),
        msgspec.msgpack.encode({"id": "1", "outcome": {"type": "Written"}}),
        msgspec.msgpack.encode({"id": 1, "outcome": {"type": "Rm"}}),
        msgspec.msgpack.encode({"id": 1, "outcome": {"type": "Written", "more": 1}}),
        b"\x91" * 100_000,
    ],
    ids=["pickle", "wrong type", "unknown kind", "unknown field", "deeply nested"],
)
def test_a_message_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        decode_reply(body)
