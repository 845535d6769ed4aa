"""Uploads on disk: what is left of earlier ones, and clients that are slow or too slow."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from fastapi import Request

from ocr_service.api import uploads
from ocr_service.api.errors import UploadStalled
from ocr_service.api.uploads import UploadFolder, UploadLimits
from ocr_service.domain.errors import StorageFailed

HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%PDF-'
TAIL = b"\r\n--b--\r\n"


def request_with(pieces: list[bytes], pause_s: float = 0.0) -> Request:
    left = list(pieces)

    async def receive() -> dict[str, object]:
        await asyncio.sleep(pause_s)
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    headers = [(b"content-type", b"multipart/form-data; boundary=b")]
    return Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}, receive)


async def receive(folder: UploadFolder, request: Request, limits: UploadLimits) -> bytes:
    async with folder.receive(request, (), limits) as upload:
        return upload.source.path.read_bytes()


def test_what_a_crash_left_is_removed_but_not_the_uploads_of_a_neighbour(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    folder.prepare(stale_s=600)
    stale, fresh = folder.path / "1.part", folder.path / "2.part"
    stale.touch()
    fresh.touch()
    os.utime(stale, (time.time() - 601, time.time() - 601))
    UploadFolder(tmp_path).prepare(stale_s=600)
    assert list(folder.path.iterdir()) == [fresh]


def test_a_client_that_keeps_sending_may_take_longer_than_the_idle_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "PROGRESS_BYTES", 10)
    folder = UploadFolder(tmp_path)
    folder.prepare(stale_s=600)
    pieces = [HEAD, *[b"x" * 10] * 40, TAIL]
    content = asyncio.run(receive(folder, request_with(pieces, pause_s=0.01), UploadLimits(10_000, idle_s=0.2)))
    assert content == b"%PDF-" + b"x" * 400


def test_a_client_that_drips_is_as_good_as_silent(tmp_path: Path) -> None:
    folder = UploadFolder(tmp_path)
    folder.prepare(stale_s=600)
    with pytest.raises(UploadStalled):
        asyncio.run(receive(folder, request_with([HEAD, *[b"x"] * 10_000], pause_s=0.001), UploadLimits(100_000, idle_s=0.1)))
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_is_gone_is_a_storage_failure(tmp_path: Path) -> None:
    with pytest.raises(StorageFailed):
        asyncio.run(receive(UploadFolder(tmp_path / "gone"), request_with([HEAD, TAIL]), UploadLimits(1000, 5)))
