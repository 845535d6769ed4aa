"""One HTTP request to the VLM server, and what its failure means. Connections are kept and used again."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

import httpx
import msgspec
from typing_extensions import override

from ocr_service.domain.errors import VlmRefused
from ocr_service.vlm.config import ClientConfig
from ocr_service.vlm.trouble import NotThere, Trouble

# Answers are some kilobytes; a server gone wrong must not fill this process.
_LARGEST_ANSWER = 8 * 1024 * 1024
# vLLM closes a connection that was idle for 5 s: let go of it first, or the next question meets a closing door.
_IDLE_CONNECTION_S = 4.0
_SETUP_PROBLEMS = {
    HTTPStatus.UNAUTHORIZED: "the VLM server wants another VLM_API_KEY",
    HTTPStatus.FORBIDDEN: "the VLM server wants another VLM_API_KEY",
    HTTPStatus.METHOD_NOT_ALLOWED: "the VLM server does not take questions at VLLM_URL",
}
_NOT_NOW = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}  # may say when to come back


class Wire:
    """The connections. Requests raise Trouble, and VlmRefused for a status that says that this question is at fault."""

    def __init__(self, config: ClientConfig) -> None:
        timeout = httpx.Timeout(config.first_byte_timeout_s, connect=config.connect_timeout_s, pool=config.connect_timeout_s)
        # Two connections more than questions: the probe and the look at the server's health have their own.
        connections = config.max_concurrency + 2
        self._client = httpx.AsyncClient(
            timeout=timeout,
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_IDLE_CONNECTION_S),
            # Neither a proxy nor a .netrc of the environment: the server is named by the settings alone.
            trust_env=False,
            verify=ssl.create_default_context(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            auth=_Bearer(config.api_key) if config.api_key else None,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(self, url: str) -> bytes:
        return await self._body(self._client.build_request("GET", url))

    async def post(self, url: str, body: dict[str, object]) -> bytes:
        content = msgspec.json.encode(body)
        return await self._body(self._client.build_request("POST", url, content=content, headers={"Content-Type": "application/json"}))

    async def _body(self, request: httpx.Request) -> bytes:
        try:
            response = await self._client.send(request, stream=True)
            try:
                _check(response)
                return await _read(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _trouble(error) from None


class _Bearer(httpx.Auth):
    """The key as a header. A key in the client's default headers would stand in its repr."""

    def __init__(self, key: str) -> None:
        self._value = f"Bearer {key}"

    @override
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._value
        yield request


async def _read(response: httpx.Response) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_raw():
        size += len(part)
        if size > _LARGEST_ANSWER:
            raise Trouble("the VLM server's answer is too long", again=False)
        parts.append(part)
    return b"".join(parts)


def _check(response: httpx.Response) -> None:
    status = response.status_code
    if status == HTTPStatus.OK:
        return
    if status == HTTPStatus.NOT_FOUND:
        raise NotThere("the VLM server has no such path or model; check VLLM_URL and the model's name", again=False)
    if status in _SETUP_PROBLEMS:
        raise Trouble(_SETUP_PROBLEMS[HTTPStatus(status)], again=False)
    wish = _seconds(response.headers.get("Retry-After", "")) if status in _BUSY else None
    if status in _NOT_NOW:
        detail = f"the VLM server has no time for this region (status {status})"
        raise Trouble(detail, again=status in _BUSY, is_failure=False, retry_after_s=wish)
    if response.is_client_error:
        raise VlmRefused(f"the VLM server does not take this region (status {status})")
    raise Trouble(f"the VLM server failed (status {status})", again=response.is_server_error, retry_after_s=wish)


def _seconds(retry_after: str) -> float | None:
    """What `Retry-After` says, in seconds from now; None if it says nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        when = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, ((when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def _trouble(error: httpx.HTTPError) -> Trouble:
    """The library's own words may hold the address, and its password: they are not passed on."""
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
        return Trouble("the VLM server cannot be reached", again=True)
    if isinstance(error, httpx.ReadTimeout):
        # It was given all the time there is; to ask again would double the wait.
        return Trouble("the VLM server was silent for too long", again=False)
    if isinstance(error, httpx.TransportError):
        return Trouble("the connection to the VLM server broke", again=not isinstance(error, httpx.UnsupportedProtocol))
    return Trouble("the VLM server gave an answer that is no HTTP", again=False)
