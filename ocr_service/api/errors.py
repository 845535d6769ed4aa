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


class ClientGone(Exception):
    """The client closed the connection; nobody is left to answer."""
