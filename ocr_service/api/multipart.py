"""One multipart/form-data body with one file, parsed piece by piece as it arrives. Nothing of the file is kept here."""

from __future__ import annotations

import re
from collections.abc import Collection

from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from ocr_service.api.errors import MalformedBody, NotMultipart
from ocr_service.domain.errors import InvalidRequest

FILE_FIELD = "file"
MAX_PARTS = 50
MAX_FIELD_BYTES = 16 * 1024
MAX_FILENAME_CHARS = 255

_PLAIN_ENCODINGS = {b"", b"binary", b"8bit", b"7bit"}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def boundary_of(content_type: str | None) -> bytes:
    """The boundary from a `Content-Type` header. Raises NotMultipart, MalformedBody."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise NotMultipart("Send the document as multipart/form-data with a part named 'file', e.g. curl -F file=@scan.pdf.")
    boundary = options.get(b"boundary", b"")
    if not 1 <= len(boundary) <= 70:  # RFC 2046 §5.1.1
        raise MalformedBody("The Content-Type names no boundary, or one of more than 70 characters.")
    return boundary


class FormReader:
    """Takes the body in pieces with `feed`, which gives back the file's bytes; the other fields collect in `fields`.

    Every method raises MalformedBody for a body that breaks the format, and InvalidRequest for a part that is not expected.
    """

    def __init__(self, boundary: bytes, known_fields: Collection[str]) -> None:
        self.fields: list[tuple[str, str]] = []
        self.filename: str | None = None
        self.file_ended = False
        self._known = known_fields
        self._parts = 0
        self._complete = False
        self._headers: dict[bytes, bytes] = {}
        self._header_name = b""
        self._header_value = b""
        self._field_name: str | None = None
        self._field_value = b""
        self._file_bytes: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_name_comes,
                "on_header_value": self._header_value_comes,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data_comes,
                "on_part_end": self._part_ends,
                "on_end": self._body_ends,
            },
        )

    def feed(self, chunk: bytes) -> list[bytes]:
        """Read the next piece of the body; returns the file's bytes in it."""
        try:
            self._parser.write(chunk)
        except (MultipartParseError, FormParserError) as error:
            raise MalformedBody("The body is not valid multipart/form-data.") from error
        collected, self._file_bytes = self._file_bytes, []
        return collected

    def close(self) -> None:
        """The body is over; raises MalformedBody if its last boundary never came, InvalidRequest if there was no file."""
        if not self._complete:
            raise MalformedBody("The body ends in the middle of a part.")
        if self.filename is None:
            raise InvalidRequest("The part 'file' with the document is missing.", field=FILE_FIELD)

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise InvalidRequest(f"The form has more than {MAX_PARTS} parts.")
        self._headers = {}
        self._field_name = None
        self._field_value = b""

    def _header_name_comes(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_value_comes(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header_name.lower()] = self._header_value.strip(b" \t")
        self._header_name = self._header_value = b""

    def _headers_end(self) -> None:
        disposition, options = parse_options_header(self._headers.get(b"content-disposition", b"").decode("latin-1"))
        if disposition != b"form-data" or b"name" not in options:
            raise MalformedBody("Every part needs a Content-Disposition of form-data with a name.")
        if self._headers.get(b"content-transfer-encoding", b"").lower() not in _PLAIN_ENCODINGS:
            raise MalformedBody("Parts must be sent as they are, without a Content-Transfer-Encoding.")
        name = options[b"name"].decode("utf-8", "replace")
        filename = options.get(b"filename")
        if name == FILE_FIELD:
            self._file_begins(filename)
        else:
            self._field_begins(name, filename)

    def _file_begins(self, filename: bytes | None) -> None:
        if filename is None:
            raise InvalidRequest("'file' must be a file, not text: its part has no filename.", field=FILE_FIELD)
        if self.filename is not None:
            raise InvalidRequest("One document a request: 'file' may be given only once.", field=FILE_FIELD)
        self.filename = display_name(filename)

    def _field_begins(self, name: str, filename: bytes | None) -> None:
        if name not in self._known:
            allowed = ", ".join([FILE_FIELD, *self._known])
            raise InvalidRequest(f"Unknown field {_UNPRINTABLE.sub('', name)[:40]!r}; known fields: {allowed}.", field=name[:40])
        if filename is not None:
            raise InvalidRequest(f"'{name}' must be text, not a file.", field=name)
        self._field_name = name

    def _data_comes(self, data: bytes, start: int, end: int) -> None:
        if self._field_name is None:
            self._file_bytes.append(data[start:end])
            return
        self._field_value += data[start:end]
        if len(self._field_value) > MAX_FIELD_BYTES:
            raise InvalidRequest(f"'{self._field_name}' is longer than {MAX_FIELD_BYTES} bytes.", field=self._field_name)

    def _part_ends(self) -> None:
        if self._field_name is None:
            self.file_ended = True
            return
        try:
            self.fields.append((self._field_name, self._field_value.decode("utf-8")))
        except UnicodeDecodeError:
            raise InvalidRequest(f"'{self._field_name}' must be UTF-8 text.", field=self._field_name) from None

    def _body_ends(self) -> None:
        self._complete = True


def display_name(filename: bytes) -> str:
    """A client's file name, fit to be shown: no folders, no control or direction characters, not empty, not endless."""
    name = _UNPRINTABLE.sub("", filename.decode("utf-8", "replace")).replace("\\", "/")
    return name.rsplit("/", 1)[-1].strip()[:MAX_FILENAME_CHARS] or "document"
