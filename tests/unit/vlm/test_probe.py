"""Whether the VLM server is there, against real sockets."""

from __future__ import annotations

import asyncio

import pytest

from ocr_service.vlm.probe import health_url_parts, vlm_available


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://127.0.0.1:8080/v1/markdown", (False, "127.0.0.1", 8080, "/health")),
        ("http://vlm/v1", (False, "vlm", 80, "/health")),
        ("https://gateway/models/ocr/v1/chat/completions", (True, "gateway", 443, "/models/ocr/health")),
        ("http://[::1]:9/", (False, "::1", 9, "/health")),
    ],
)
def test_the_health_page_lies_beside_v1(url: str, parts: tuple[bool, str, int, str]) -> None:
    assert health_url_parts(url) == parts


async def probe_server_that_says(answer: bytes) -> tuple[bool, bytes]:
    asked = b""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await vlm_available(f"http://user:hush@127.0.0.1:{port}/v1/markdown"), asked


@pytest.mark.parametrize(
    ("answer", "available"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"", False),
        (b"SSH-2.0-OpenSSH\r\n", False),
        (b"x" * 100_000, False),
    ],
)
def test_only_a_2xx_counts_as_available(answer: bytes, available: bool) -> None:
    said, asked = asyncio.run(probe_server_that_says(answer))
    assert said is available
    assert asked.startswith(b"GET /health HTTP/1.1\r\n")
    assert b"hush" not in asked


def test_a_closed_port_and_an_unknown_host_are_unavailable() -> None:
    assert asyncio.run(vlm_available("http://127.0.0.1:1/v1")) is False
    assert asyncio.run(vlm_available("http://no-such-host.invalid/v1")) is False
