"""Whether the S3 endpoint can be reached, against real sockets."""

from __future__ import annotations

import asyncio

from ocr_service.storage.s3_probe import s3_reachable


def test_an_endpoint_that_accepts_connections_is_reachable() -> None:
    async def run() -> bool:
        async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0) as server:
            return await s3_reachable(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert asyncio.run(run()) is True


def test_a_closed_port_and_an_unknown_host_are_unreachable() -> None:
    assert asyncio.run(s3_reachable("http://127.0.0.1:1")) is False
    assert asyncio.run(s3_reachable("https://no-such-host.invalid")) is False


def test_an_endpoint_that_speaks_no_tls_is_unreachable_by_https() -> None:
    async def run() -> bool:
        async with await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0) as server:
            return await s3_reachable(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")

    assert asyncio.run(run()) is False
