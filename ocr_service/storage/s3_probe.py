"""Whether the S3 endpoint can be reached at all. Credentials are not tried: that is what an upload does."""

from __future__ import annotations

import asyncio
import ssl
from urllib.parse import urlsplit


async def s3_reachable(endpoint: str) -> bool:
    """Whether a connection, TLS included, can be made. Never raises but for cancellation; the caller limits the time."""
    parts = urlsplit(endpoint if "//" in endpoint else f"https://{endpoint}")
    secure = parts.scheme == "https"
    try:
        _reader, writer = await asyncio.open_connection(
            parts.hostname or "",
            parts.port or (443 if secure else 80),
            ssl=ssl.create_default_context() if secure else None,
        )
    except OSError:
        return False
    writer.close()
    return True
