"""Which form of answer is wanted, and what a file really is."""

from __future__ import annotations

import pytest

from ocr_service.api.negotiation import AnswerKind, preferred
from ocr_service.api.sniff import media_type_of
from ocr_service.domain.documents import MediaType


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, AnswerKind.JSON),
        ("", AnswerKind.JSON),
        ("*/*", AnswerKind.JSON),
        ("application/json", AnswerKind.JSON),
        ("application/*", AnswerKind.JSON),
        ("application/x-ndjson", AnswerKind.NDJSON),
        ("text/markdown", AnswerKind.MARKDOWN),
        ("text/*", AnswerKind.MARKDOWN),
        ("TEXT/Markdown; charset=utf-8", AnswerKind.MARKDOWN),
        ("text/markdown;q=0.5, application/json;q=0.9", AnswerKind.JSON),
        ("text/markdown;q=0.9, application/json;q=0.5", AnswerKind.MARKDOWN),
        ("application/json;q=0, */*", AnswerKind.NDJSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", AnswerKind.JSON),
        ("image/png", AnswerKind.JSON),
        ("text/markdown;q=broken", AnswerKind.JSON),
        (";;,,q=1", AnswerKind.JSON),
    ],
)
def test_the_form_with_the_highest_q_value_is_chosen_and_json_otherwise(accept: str | None, kind: AnswerKind) -> None:
    assert preferred(accept) is kind


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        (b"%PDF-1.7\n", MediaType.PDF),
        (b"\xef\xbb\xbf junk before %PDF-1.4", MediaType.PDF),
        (b" " * 1019 + b"%PDF-", MediaType.PDF),
        (b" " * 1020 + b"%PDF-", None),
        (b"\x89PNG\r\n\x1a\n....", MediaType.PNG),
        (b"\xff\xd8\xff\xe0", MediaType.JPEG),
        (b"RIFF....WEBPVP8 ", MediaType.WEBP),
        (b"RIFF....WAVEfmt ", None),
        (b"II*\x00", MediaType.TIFF),
        (b"MM\x00*", MediaType.TIFF),
        (b"MM\x00+", MediaType.TIFF),
        (b"", None),
        (b"PK\x03\x04", None),
        (b"<html>", None),
        (b"GIF89a", None),
    ],
)
def test_the_type_is_known_by_the_first_bytes(head: bytes, media_type: MediaType | None) -> None:
    assert media_type_of(head) is media_type
