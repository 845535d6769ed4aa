"""Whether the VLM server is there: one small GET of its `/health`."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit


def health_url_parts(vllm_url: str) -> tuple[bool, str, int, str]:
    """(TLS?, host, port, path) of the health page that belongs to a VLLM_URL: beside `/v1`, below the same prefix."""
    parts = urlsplit(vllm_url)
    secure = parts.scheme == "https"
    prefix = parts.path.split("/v1", 1)[0].rstrip("/")
    return secure, parts.hostname or "", parts.port or (443 if secure else 80), f"{prefix}/health"


async def vlm_available(vllm_url: str) -> bool:
    """Whether `/health` answers 2xx. Never raises but for cancellation; the caller limits the time."""
    secure, host, port, path = health_url_parts(vllm_url)
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if secure else None)
    except OSError:
        return False
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        status_line = await reader.readline()
    except (OSError, ValueError):  # ValueError: the line has no end
        return False
    finally:
        writer.close()
    words = status_line.split()
    return len(words) >= 2 and words[0].startswith(b"HTTP/1.") and words[1].startswith(b"2")
