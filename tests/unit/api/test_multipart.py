"""The form parser: any cut of the body into pieces gives the same, and what breaks the format is refused."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocr_service.api.errors import MalformedBody, NotMultipart
from ocr_service.api.multipart import MAX_FIELD_BYTES, MAX_PARTS, FormReader, boundary_of, display_name
from ocr_service.domain.errors import InvalidRequest, ServiceError

KNOWN = ("dpi", "pages")


def part(name: str, value: bytes, filename: str | None = None, extra: bytes = b"") -> bytes:
    suffix = f'; filename="{filename}"' if filename is not None else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{suffix}\r\n'.encode() + extra + b"\r\n" + value + b"\r\n"


FILE = part("file", b"%PDF-1.7\r\n--not the boundary\r\n", "скан.pdf")
END = b"--b--\r\n"


def read(body: bytes, *cuts: int) -> tuple[FormReader, bytes]:
    reader = FormReader(b"b", KNOWN)
    bounds = [0, *sorted(cuts), len(body)]
    content = b"".join(piece for start, end in itertools.pairwise(bounds) for piece in reader.feed(body[start:end]))
    reader.close()
    return reader, content


def refused(body: bytes, kind: type[ServiceError]) -> ServiceError:
    with pytest.raises(kind) as caught:
        read(body)
    return caught.value


def test_fields_and_file_arrive_in_any_order() -> None:
    reader, content = read(part("dpi", b"300") + FILE + part("pages", b"1-3") + END)
    assert reader.fields == [("dpi", "300"), ("pages", "1-3")]
    assert reader.filename == "скан.pdf"
    assert content == b"%PDF-1.7\r\n--not the boundary\r\n"


@given(st.lists(st.integers(0, 250), max_size=12), st.binary(max_size=80))
def test_the_file_is_the_same_however_the_body_is_cut(cuts: list[int], file: bytes) -> None:
    body = part("dpi", b"72") + part("file", file.replace(b"\r\n--b", b""), "a") + END
    _, content = read(body, *(cut for cut in cuts if cut <= len(body)))
    assert content == file.replace(b"\r\n--b", b"")


def test_a_body_that_ends_in_the_middle_is_malformed() -> None:
    refused(FILE, MalformedBody)
    refused(FILE[:50], MalformedBody)
    refused(b"", MalformedBody)


def test_a_body_that_is_no_multipart_at_all_is_malformed() -> None:
    refused(b'{"file": "no"}', MalformedBody)


def test_a_form_without_a_file_is_refused_with_the_field_named() -> None:
    error = refused(part("dpi", b"72") + END, InvalidRequest)
    assert isinstance(error, InvalidRequest)
    assert error.field == "file"


def test_an_empty_form_is_refused() -> None:
    refused(END, InvalidRequest)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (FILE + FILE, "file"),
        (part("file", b"text without a file name"), "file"),
        (part("dpi", b"72", "a.txt"), "dpi"),
        (part("colour", b"red"), "colour"),
        (part("dpi", b"\xff\xfe"), "dpi"),
        (part("dpi", b"1" * (MAX_FIELD_BYTES + 1)), "dpi"),
    ],
)
def test_a_part_that_is_not_expected_is_refused_with_its_field(body: bytes, field: str) -> None:
    error = refused(body + END, InvalidRequest)
    assert isinstance(error, InvalidRequest)
    assert error.field == field


def test_an_unknown_field_is_told_the_known_ones() -> None:
    assert "file, dpi, pages" in refused(part("colour", b"red") + END, InvalidRequest).detail


def test_more_parts_than_allowed_are_refused() -> None:
    refused(part("dpi", b"") * (MAX_PARTS + 1) + END, InvalidRequest)


@pytest.mark.parametrize(
    "headers",
    [
        b"X: y",
        b"Content-Disposition: attachment; name=file",
        b"Content-Disposition: form-data",
        b'Content-Disposition: form-data; name="file"; filename="a"\r\nContent-Transfer-Encoding: base64',
        b"no colon",
        b"X: " + b"y" * 100_000,
    ],
)
def test_a_part_with_wrong_headers_is_malformed(headers: bytes) -> None:
    refused(b"--b\r\n" + headers + b"\r\n\r\nvalue\r\n" + END, MalformedBody)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(body: bytes) -> None:
    for candidate in (body, b"--b\r\n" + body, FILE + body + END):
        with suppress(MalformedBody, InvalidRequest):
            read(candidate)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\скан.pdf", "скан.pdf"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("\u202efdp.exe", "fdp.exe"),
        ("", "document"),
        ("   ", "document"),
        ("folder/", "document"),
        ("x" * 5000, "x" * 255),
    ],
)
def test_a_file_name_is_made_fit_to_be_shown(sent: str, shown: str) -> None:
    assert display_name(sent.encode()) == shown


def test_a_file_name_that_is_no_utf8_is_shown_with_replacement_marks() -> None:
    assert display_name("скан.pdf".encode("cp1251")).endswith(".pdf")


def test_the_boundary_comes_from_the_content_type() -> None:
    assert boundary_of('Multipart/Form-Data; boundary="a b"') == b"a b"


@pytest.mark.parametrize("content_type", [None, "", "application/json", "multipart/mixed; boundary=x"])
def test_a_body_of_another_type_is_not_multipart(content_type: str | None) -> None:
    with pytest.raises(NotMultipart):
        boundary_of(content_type)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 71}"]
)
def test_a_boundary_that_is_missing_or_too_long_is_malformed(content_type: str) -> None:
    with pytest.raises(MalformedBody):
        boundary_of(content_type)
