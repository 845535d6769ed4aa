"""What can go wrong only because of HTTP; everything else is in `domain/errors.py`."""

from __future__ import annotations

from ocr_service.domain.errors import ServiceError, UnsupportedMedia


class MalformedBody(ServiceError):
    """The request's body is not what its headers say."""

    code = "malformed_body"


class NotMultipart(UnsupportedMedia):
    """The request's body is not multipart/form-data."""

    code = "not_multipart"


class UploadStalled(ServiceError):
    """The client sent nothing, or next to nothing, for too long."""

    code = "upload_stalled"


class KeyMissing(ServiceError):
    """No API key came with the request, or one that is not known."""

    code = "unauthorized"


class TooManyRequests(ServiceError):
    """The key asks for more than it may."""

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class TooManyAtOnce(TooManyRequests):
    """The key has as many documents in progress as it may."""

    code = "too_many_at_once"


class TooManyPerMinute(TooManyRequests):
    """The key has sent as many documents in this minute as it may."""

    code = "too_many_per_minute"


class ClientGone(Exception):
    """The client closed the connection; nobody is left to answer."""
