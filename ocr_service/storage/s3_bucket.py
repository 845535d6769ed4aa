"""The S3 bucket, through boto3: blocking calls for worker threads. An error tells its code alone, never an address or a key."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_MULTIPART_BYTES = 16 * 1024 * 1024
_ATTEMPTS = 3
_DELETED_AT_ONCE = 1000
# A dead server must not hold a thread for minutes.
_CONNECT_TIMEOUT_S, _READ_TIMEOUT_S = 5, 20


class S3Failed(Exception):
    """S3 did not take a file; the text is a short code ("AccessDenied", "HTTP 503", "EndpointConnectionError")."""


@dataclass(frozen=True, slots=True)
class S3Config:
    """Where the bucket is, and how links to it are made. Endpoints have a scheme; `link_s` 0: plain links."""

    endpoint: str
    bucket: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    region: str
    prefix: str = ""
    path_style: bool = True
    public_endpoint: str | None = None
    link_s: int = 0


class S3Bucket:
    """Thread-safe."""

    def __init__(self, config: S3Config) -> None:
        self._config = config
        self._client = _client(config, config.endpoint)
        self._links = _client(config, config.public_endpoint or config.endpoint)

    def key(self, document_id: str, name: str) -> str:
        return "/".join(part for part in (self._config.prefix.strip("/"), document_id, name) if part)

    def location(self, document_id: str) -> str:
        """`s3://bucket/prefix/document_id/`."""
        return f"s3://{self._config.bucket}/{self.key(document_id, '')}/"

    def put(self, path: Path, key: str, media_type: str) -> None:
        """Upload the file; large ones in parts. Raises S3Failed; the key then holds what it held before."""
        try:
            self._client.upload_file(str(path), self._config.bucket, key, ExtraArgs={"ContentType": media_type}, Config=_TRANSFER)
        except (Boto3Error, BotoCoreError, ClientError, OSError) as error:
            raise S3Failed(_code(error)) from None

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the objects; those that are not there are no error. Raises S3Failed."""
        objects = [{"Key": key} for key in keys]
        try:
            for first in range(0, len(objects), _DELETED_AT_ONCE):
                batch = {"Objects": objects[first : first + _DELETED_AT_ONCE], "Quiet": True}
                self._client.delete_objects(Bucket=self._config.bucket, Delete=batch)
        except (BotoCoreError, ClientError) as error:
            raise S3Failed(_code(error)) from None

    def link(self, key: str) -> str:
        """Presigned for `link_s` seconds, or plain. Contacts nobody."""
        config = self._config
        if config.link_s:
            target = {"Bucket": config.bucket, "Key": key}
            return str(self._links.generate_presigned_url("get_object", Params=target, ExpiresIn=config.link_s))
        parts = urlsplit(config.public_endpoint or config.endpoint)
        host, base = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        if config.path_style:
            return f"{parts.scheme}://{host}{base}/{config.bucket}/{quote(key)}"
        return f"{parts.scheme}://{config.bucket}.{host}{base}/{quote(key)}"

    def close(self) -> None:
        self._client.close()
        self._links.close()


_TRANSFER = TransferConfig(multipart_threshold=_MULTIPART_BYTES, multipart_chunksize=_MULTIPART_BYTES, use_threads=False)


def _client(config: S3Config, endpoint: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  boto3 makes its classes at run time
    # A session of its own with every key given: nothing is taken from a ~/.aws or from the machine's metadata service.
    session = boto3.session.Session(aws_access_key_id=config.access_key, aws_secret_access_key=config.secret_key, region_name=config.region)
    return session.client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path" if config.path_style else "virtual"},
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            connect_timeout=_CONNECT_TIMEOUT_S,
            read_timeout=_READ_TIMEOUT_S,
            # Cloud.ru and other S3 servers refuse the checksums that boto3 adds by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def _code(error: BaseException) -> str:
    """Texts of errors name addresses, keys and paths; a code does not."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, Boto3Error) and cause is not None:
        return _code(cause)
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", "?")
        return code if code.isalpha() else f"HTTP {status}"
    return type(error).__name__
