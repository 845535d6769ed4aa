"""What the table knows of a job, beyond what a client sees of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

from ocr_service.domain.documents import DocumentOptions, SourceFile
from ocr_service.domain.jobs import Job


@dataclass(frozen=True, slots=True)
class Terms:
    """Who asked, and how: `owner` is the name of an API key, empty without keys. `webhook_url`: whom to tell at the end."""

    owner: str = ""
    idempotency_key: str | None = None
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A job with what it needs to be done. `executor` does it now; `attached`: somebody waits for it on a connection (POST /ocr/pdf);
    `needs_password`: it came with one, which is nowhere but in its executor's memory."""

    job: Job
    media_type: str
    options: DocumentOptions
    terms: Terms
    content_key: str
    attached: bool
    needs_password: bool
    executor: str | None
    cancel_requested: bool


def encode_options(options: DocumentOptions) -> str:
    return msgspec.json.encode(options, order="sorted").decode()


def decode_options(text: str) -> DocumentOptions:
    return msgspec.json.decode(text, type=DocumentOptions)


def content_key(source: SourceFile, options: DocumentOptions, webhook_url: str | None) -> str:
    """The same for the same file with the same options; a hash, so that neither can be read from it. The password is no part of it."""
    return hashlib.sha256(f"{source.sha256}\n{encode_options(options)}\n{webhook_url or ''}".encode()).hexdigest()
