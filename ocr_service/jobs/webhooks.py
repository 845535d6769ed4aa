"""Tells a URL that a job is over: signed, to public addresses only, again later if nobody took it.

The name is resolved here, every address it has is looked at, and the connection goes to one of those very addresses: a name that
means something else the next moment leads nowhere. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import socket
import time
from urllib.parse import urlsplit

import httpx

from ocr_service.domain.errors import InvalidRequest
from ocr_service.jobs.config import JobsConfig
from ocr_service.jobs.job_json import encode_job
from ocr_service.jobs.record import Record

log = logging.getLogger(__name__)

FIELD = "webhook_url"
_TIMEOUT_S = 10.0
_LONGEST_PAUSE_S = 3600.0
_MAX_URL_CHARS = 2000
_NEXT_PAUSE = 4
_UNICAST = ipaddress.IPv6Network("2000::/3")


class Refused(Exception):
    """The address may not be called."""


class Webhooks:
    """One attempt at a time; when to try again is the caller's to remember."""

    def __init__(self, config: JobsConfig) -> None:
        self._secret = config.webhook_secret
        self._private = config.webhook_private
        self._attempts = config.webhook_attempts
        self._pause_s = config.webhook_pause_s

    def check(self, url: str) -> None:
        """Whether the URL can be promised to be told. Raises InvalidRequest."""
        if self._secret is None:
            raise InvalidRequest("This deployment sends no webhooks: OCR_WEBHOOK_SECRET is not set.", field=FIELD)
        host = _host_of(url)
        if host is None:
            raise InvalidRequest(f"'{FIELD}' must be an http or https URL without a user name, like https://example.org/done.", field=FIELD)
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return
        if not self._may_call(address):
            raise InvalidRequest(f"'{FIELD}' must lead to a public address.", field=FIELD)

    async def deliver(self, record: Record, attempt: int) -> float | None:
        """Tell it. Returns after how many seconds to try again, None if it was taken or is given up."""
        job_id, url = record.job.job_id, record.terms.webhook_url
        if self._secret is None or url is None:
            return None
        try:
            status = await self._post(url, _body(record), f"{job_id}-{attempt}", self._secret)
            reason = "" if 200 <= status < 300 else f"status {status}"
        except Refused as error:
            log.warning("A webhook is not called", extra={"document_id": job_id, "reason": str(error)})
            return None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:  # ValueError: a name that is none, for the resolver
            reason = type(error).__name__
        if not reason:
            log.info("A webhook was called", extra={"document_id": job_id, "attempt": attempt})
            return None
        is_last = attempt >= self._attempts
        log.warning("A webhook did not take it", extra={"document_id": job_id, "attempt": attempt, "reason": reason, "given_up": is_last})
        return None if is_last else min(_LONGEST_PAUSE_S, self._pause_s * _NEXT_PAUSE ** (attempt - 1))

    async def _post(self, url: str, body: bytes, delivery: str, secret: bytes) -> int:
        parts = urlsplit(url)
        host = parts.hostname or ""
        address = await self._address(host, parts.port or (443 if parts.scheme == "https" else 80))
        target = httpx.URL(url).copy_with(host=address)
        moment = int(time.time())
        headers = {
            "Host": httpx.URL(url).netloc.decode("ascii"),
            "Content-Type": "application/json",
            "OCR-Signature": f"t={moment},v1={signature(secret, moment, body)}",
            "OCR-Delivery": delivery,
        }
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, follow_redirects=False) as client,
            asyncio.timeout(3 * _TIMEOUT_S),
            client.stream("POST", target, content=body, headers=headers, extensions={"sni_hostname": host}) as response,
        ):
            # Its body is not read: a stranger's, and of no use.
            return response.status_code

    async def _address(self, host: str, port: int) -> str:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(info[4][0]) for info in found]
        if not addresses or not all(self._may_call(ipaddress.ip_address(address)) for address in addresses):
            raise Refused("its name leads to an address that is not public")
        return addresses[0]

    def _may_call(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return self._private or _is_public(address)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return _is_public(address.ipv4_mapped)
    # Python takes more for global: addresses that NAT64, 6to4 and the like lead to private ones of IPv4.
    return address.is_global and address in _UNICAST and address.sixtofour is None


def _host_of(url: str) -> str | None:
    """None if the URL is not one that can be called."""
    if len(url) > _MAX_URL_CHARS or not url.isascii() or any(sign.isspace() for sign in url):
        return None
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in {"http", "https"} and parts.username is None and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        return None
    return parts.hostname if is_url else None


def signature(secret: bytes, moment: int, body: bytes) -> str:
    """What the receiver computes again to know that it was us: HMAC-SHA256 over time and body."""
    return hmac.new(secret, b"%d." % moment + body, hashlib.sha256).hexdigest()


def _body(record: Record) -> bytes:
    return b'{"event":"job.finished","job":' + encode_job(record.job) + b"}"
