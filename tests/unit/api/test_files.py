"""Files as answers."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest
from starlette.types import Message

from ocr_service.api.files import CHUNK_BYTES, FileAnswer


class Client:
    """Closes the connection as soon as it has read so many bytes of the body."""

    def __init__(self, leaves_after: int) -> None:
        self.messages: list[Message] = []
        self._left = leaves_after
        self._gone = asyncio.Event()

    async def receive(self) -> Message:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        self._left -= len(message.get("body", b""))
        if message["type"] == "http.response.body" and self._left <= 0:
            self._gone.set()
            await asyncio.sleep(0)


def ask(path: Path, leaves_after: int) -> list[Message]:
    async def scenario() -> list[Message]:
        client = Client(leaves_after)
        await FileAnswer(path, "text/markdown", idle_s=10)({"type": "http"}, client.receive, client.send)
        return client.messages

    return asyncio.run(scenario())


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES, CHUNK_BYTES + 1])
def test_a_client_that_has_everything_and_leaves_at_once_is_not_called_gone(
    tmp_path: Path, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "document.md"
    path.write_bytes(b"x" * size)
    with caplog.at_level(logging.INFO):
        start, *pieces = ask(path, size)
    assert caplog.records == []
    assert dict(start["headers"])[b"content-length"] == str(size).encode()
    assert b"".join(piece["body"] for piece in pieces) == b"x" * size
    assert [piece["more_body"] for piece in pieces] == [True] * (len(pieces) - 1) + [False]


def test_a_client_that_leaves_in_the_middle_is_noted_and_sent_no_more(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "document.md"
    path.write_bytes(b"x" * 5 * CHUNK_BYTES)
    with caplog.at_level(logging.INFO):
        messages = ask(path, CHUNK_BYTES)
    assert [record.message for record in caplog.records] == ["client gone in the middle of its answer"]
    assert len(messages) < 6
