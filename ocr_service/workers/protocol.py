"""What the pool and a worker say to each other: frames of four bytes of length (big endian) and one msgpack message.

Never pickle: a worker parses hostile files, so what it says is read as data of exactly these types, and not more of it than fits a frame.
"""

from __future__ import annotations

import numbers
import struct
from pathlib import Path
from typing import TypeVar

import msgspec

from ocr_service.domain.documents import DocumentInfo, PageAnalysis, PageOptions, SourceFile
from ocr_service.engines.config import EngineConfig
from ocr_service.workers.config import Confinement

LENGTH = struct.Struct(">I")
# A request holds paths only; a reply holds the cut-out pictures of one page.
MAX_REQUEST_BYTES = 8 * 1024 * 1024
MAX_REPLY_BYTES = 64 * 1024 * 1024


class ProtocolViolation(Exception):
    """The other side sent something that is no message of ours."""


class Setup(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """The first request: which engine to build ("package.module:factory"), a bound on the worker's data segment, how it is confined, and
    its own folder.
    """

    engine: str
    config: EngineConfig
    data_limit_bytes: int
    confinement: Confinement
    scratch: Path


class Inspect(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Open the file."""

    source: SourceFile


class Look(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where pages that were read before are kept, by their key; `salt`: what the key depends on beside what the worker knows."""

    folder: Path
    salt: str


class Analyse(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Read one page, unless it is to be `look`ed for and is kept already."""

    source: SourceFile
    page: int
    options: PageOptions
    look: Look | None = None


class WriteSearchablePdf(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Lay the text of the page files over the source."""

    source: SourceFile
    pages: tuple[Path, ...]
    target: Path


class Ready(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """The engine is built and its models are loaded. `walls`: what confines the worker (`workers/confinement.py`)."""

    engine: str
    versions: dict[str, str]
    walls: tuple[str, ...] = ()


class Inspected(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Answer to Inspect."""

    info: DocumentInfo


class Analysed(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Answer to Analyse."""

    analysis: PageAnalysis


class Known(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Answer to Analyse: the page is kept under this key; `seconds` it took to find out."""

    key: str
    seconds: float


class Written(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Answer to WriteSearchablePdf."""


class Failed(msgspec.Struct, tag=True, frozen=True, forbid_unknown_fields=True):
    """Answer to any request: the code of a domain error, and its sentence for the client."""

    code: str
    detail: str


Task = Setup | Inspect | Analyse | WriteSearchablePdf
Outcome = Ready | Inspected | Analysed | Known | Written | Failed


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`id` comes back with the reply."""

    id: int
    task: Task


class Reply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to the request of the same `id`."""

    id: int
    outcome: Outcome


Message = TypeVar("Message")


def _plain(value: object) -> object:
    """What msgpack cannot write by itself: paths, and NumPy's numbers, which engines leave in boxes and scores."""
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent")


def _typed(expected: type, value: object) -> object:
    if expected is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError


_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_requests = msgspec.msgpack.Decoder(Request, dec_hook=_typed)
_replies = msgspec.msgpack.Decoder(Reply, dec_hook=_typed)


def frame(message: Request | Reply, limit: int) -> bytes:
    """The message as bytes on the pipe. Raises ProtocolViolation if it is longer than `limit` bytes, TypeError if it cannot be sent."""
    body = _encoder.encode(message)
    if len(body) > limit:
        raise ProtocolViolation(f"a message of {len(body)} bytes is longer than the {limit} that are allowed")
    return LENGTH.pack(len(body)) + body


def body_length(header: bytes, limit: int) -> int:
    """How many bytes follow the header. Raises ProtocolViolation."""
    length: int = LENGTH.unpack(header)[0]
    if length > limit:
        raise ProtocolViolation(f"a message of {length} bytes is longer than the {limit} that are allowed")
    return length


def decode_request(body: bytes) -> Request:
    """Raises ProtocolViolation."""
    return _decode(_requests, body)


def decode_reply(body: bytes) -> Reply:
    """Raises ProtocolViolation."""
    return _decode(_replies, body)


def _decode(decoder: msgspec.msgpack.Decoder[Message], body: bytes) -> Message:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ProtocolViolation(f"not a message of ours: {error}") from None
