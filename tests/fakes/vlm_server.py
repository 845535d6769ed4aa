"""A VLM server that does what a script says: a real HTTP server on a free port of 127.0.0.1, without a model.

It speaks our `POST /v1/markdown`, OpenAI's `POST /v1/chat/completions`, `GET /v1/models` and `GET /health`. The script gets every
question (`Asked`) and says what happens (`tests.fakes.vlm_acts`):

    async with FakeVlm(lambda asked: Answer(texts[asked.image])) as vlm: ...      # in the test's own event loop
    async with FakeVlm(in_turn(Fail(500), Answer("text"))) as vlm: ...            # one act a question; the last one repeats
    with vlm_in_thread(lambda asked: Answer("text")) as vlm: ...                  # for tests that start real processes

`vlm.asked` are the questions so far, `vlm.disconnects` the numbers of those whose client left before the answer was out.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.fakes.vlm_acts import Act, Answer, ConnectionReset, Exchange, Fail

TASKS = {
    "OCR:": "ocr",
    "Table Recognition:": "table",
    "Formula Recognition:": "formula",
    "Chart Recognition:": "chart",
    "Seal Recognition:": "seal",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. `task` is in the words of `/v1/markdown` whatever way it came; `number` counts from 0."""

    number: int
    path: str
    task: str
    image: bytes = field(repr=False)
    media_type: str
    body: Mapping[str, Any] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


Script = Callable[[Asked], Act]


def in_turn(*acts: Act) -> Script:
    """One act a question, in the order in which they come; the last one repeats."""
    return lambda asked: acts[min(asked.number, len(acts) - 1)]


class FakeVlm:
    """The server; runs between `__aenter__` and `__aexit__`, which closes what is still open.

    `api_key`: asked for under `/v1`. `health` and `models`: what `/health` and `/v1/models` do, may be changed at any time. `port`: 0 is a
    free one; a second server on the port of the first is one that came back.
    """

    def __init__(self, script: Script, *, api_key: str | None = None, model: str = "PaddleOCR-VL-1.5-0.9B", port: int = 0) -> None:
        self.script = script
        self.model = model
        self.health: Act = Answer("")
        self.models: Act = Answer("")
        self.asked: list[Asked] = []
        self.disconnects: list[int] = []
        self.probes = 0
        self.connections = 0
        self.open_connections = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self._api_key = api_key
        self._port = port
        self._server: asyncio.Server
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """For VLLM_URL: our own way."""
        return f"http://127.0.0.1:{self._port}/v1/markdown"

    @property
    def openai_url(self) -> str:
        """For VLLM_URL: the OpenAI-compatible way."""
        return f"http://127.0.0.1:{self._port}/v1"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port, limit=64 * 1024 * 1024)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            await self._serve(reader, Exchange(reader, writer))
        except ConnectionReset:
            _reset(writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client is gone, or the server closes: asyncio would log the cancellation as an error
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, exchange: Exchange) -> None:
        ahead: bytes | None = b""
        while ahead is not None:
            lines = (ahead + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = lines[0].split(" ")
            headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            ahead = await self._route(method, path, headers, body, exchange)

    async def _route(self, method: str, path: str, headers: dict[str, str], body: bytes, exchange: Exchange) -> bytes | None:
        """Answer one request. Returns what was read ahead of the next one, None if the connection ends."""
        if path == "/health":
            self.probes += 1
            return await self._perform(self.health, b"", exchange)
        if self._api_key is not None and headers.get("authorization") != f"Bearer {self._api_key}":
            return await self._perform(Fail(401), b"", exchange)
        if path == "/v1/models":
            models = {"object": "list", "data": [{"id": self.model, "object": "model"}]}
            return await self._perform(self.models, json.dumps(models).encode(), exchange)
        if method != "POST" or path not in {"/v1/markdown", "/v1/chat/completions"}:
            return await self._perform(Fail(404), b"", exchange)
        try:
            asked = _understand(len(self.asked), path, json.loads(body), headers)
        except (LookupError, TypeError, ValueError):
            return await self._perform(Fail(400), b"", exchange)
        self.asked.append(asked)
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        try:
            act = self.script(asked)
            return await self._perform(act, _answer_body(act, asked, self.model), exchange, asked.number)
        finally:
            self.in_flight -= 1

    async def _perform(self, act: Act, body: bytes, exchange: Exchange, number: int | None = None) -> bytes | None:
        """Perform, but stop as soon as the client leaves. Returns as `_route`."""
        performing = asyncio.ensure_future(act.perform(exchange, body))
        listening = asyncio.ensure_future(exchange.reader.read(1))
        try:
            await asyncio.wait({performing, listening}, return_when=asyncio.FIRST_COMPLETED)
            if not performing.done():
                if number is not None:
                    self.disconnects.append(number)
                return None
            ahead = listening.result() if listening.done() else b""
            return ahead if performing.result() else None
        finally:
            for task in (performing, listening):
                task.cancel()
            await asyncio.gather(performing, listening, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End the connection with a TCP reset instead of a farewell."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _understand(number: int, path: str, body: dict[str, Any], headers: Mapping[str, str]) -> Asked:
    """Raises LookupError, TypeError or ValueError if this is no question."""
    if path == "/v1/markdown":
        url, task = body["image"], body["task"]
    else:
        parts = {part["type"]: part for message in body["messages"] for part in message["content"]}
        url, task = parts["image_url"]["image_url"]["url"], TASKS[parts["text"]["text"]]
    prefix, _, data = url.rpartition(",")
    media_type = prefix.removeprefix("data:").removesuffix(";base64")
    return Asked(number, path, task, base64.b64decode(data, validate=True), media_type, body, headers)


def _answer_body(act: Act, asked: Asked, model: str) -> bytes:
    """The well-formed answer of the route, with the act's text if it has one."""
    answer = act if isinstance(act, Answer) else Answer(getattr(act, "text", "half of an answer"))
    usage = {"prompt_tokens": answer.prompt_tokens, "completion_tokens": answer.completion_tokens}
    usage["total_tokens"] = answer.prompt_tokens + answer.completion_tokens
    if asked.path == "/v1/markdown":
        body = {"markdown": answer.text, "task": asked.task, "model": model, "finish_reason": answer.finish_reason, "usage": usage}
        return json.dumps(body | ({} if answer.raw is None else {"raw": answer.raw})).encode()
    choice = {"index": 0, "message": {"role": "assistant", "content": answer.text}, "finish_reason": answer.finish_reason}
    return json.dumps(
        {"id": f"chatcmpl-{asked.number}", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage}
    ).encode()


@contextmanager
def vlm_in_thread(script: Script, **options: Any) -> Iterator[FakeVlm]:
    """A FakeVlm in an event loop of its own, for tests that start real processes; the script is called in that thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake VLM")
    thread.start()
    vlm = FakeVlm(script, **options)
    try:
        asyncio.run_coroutine_threadsafe(vlm.__aenter__(), loop).result()
        try:
            yield vlm
        finally:
            asyncio.run_coroutine_threadsafe(vlm.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
