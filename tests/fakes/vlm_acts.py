"""What the fake VLM server can do with one request. `perform` writes the answer; False: the connection ends with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Protocol


class ConnectionReset(Exception):
    """The act wants the connection to end with a TCP reset."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request's connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


class Moment(StrEnum):
    """How much of the answer is out when something happens to it."""

    BEFORE_ANSWER = "before_answer"
    AFTER_HEAD = "after_head"
    IN_BODY = "in_body"


class Act(Protocol):
    """One behaviour. `body` is the well-formed answer of the route that was asked."""

    async def perform(self, exchange: Exchange, body: bytes) -> bool: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A good answer. `gate`: it is given only once this is set, so that a test says when. `raw`: of `/v1/markdown`, if it differs."""

    text: str
    finish_reason: str = "stop"
    raw: str | None = None
    gate: asyncio.Event | None = None
    delay_s: float = 0.0
    prompt_tokens: int = 100
    completion_tokens: int = 10

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(self.delay_s)
        await exchange.send(head(200, len(body)) + body)
        return True


@dataclass(frozen=True, slots=True)
class Fail:
    """An error status with problem+json."""

    status: int
    retry_after: str | None = None
    detail: str = "scripted"

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        problem = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status, "detail": self.detail}
        content = json.dumps(problem).encode()
        extra = {"Content-Type": "application/problem+json"} | ({"Retry-After": self.retry_after} if self.retry_after is not None else {})
        await exchange.send(head(self.status, len(content), extra) + content)
        return True


@dataclass(frozen=True, slots=True)
class Say:
    """These bytes as the body of a 200, whatever they are."""

    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        await exchange.send(head(200, len(self.content), self.headers) + self.content)
        return True


@dataclass(frozen=True, slots=True)
class Garbage:
    """These bytes instead of HTTP; then the connection ends."""

    content: bytes = b"SSH-2.0-OpenSSH_9.9\r\n\r\n"

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        await exchange.send(self.content)
        return False


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing more comes from this moment on, until the client leaves."""

    moment: Moment = Moment.BEFORE_ANSWER

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        await _send_until(self.moment, exchange, body)
        await asyncio.get_running_loop().create_future()
        return False


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset at this moment."""

    moment: Moment = Moment.BEFORE_ANSWER

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        await _send_until(self.moment, exchange, body)
        raise ConnectionReset


@dataclass(frozen=True, slots=True)
class HangUp:
    """An ordinary end of the connection at this moment: no answer, or half of one."""

    moment: Moment = Moment.IN_BODY

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        await _send_until(self.moment, exchange, body)
        return False


@dataclass(frozen=True, slots=True)
class Drip:
    """The good answer, some bytes at a time: each pause is short, all together take for ever."""

    text: str = "slow"
    pause_s: float = 0.02
    chunk: int = 1

    async def perform(self, exchange: Exchange, body: bytes) -> bool:
        await exchange.send(head(200, len(body)))
        for start in range(0, len(body), self.chunk):
            await asyncio.sleep(self.pause_s)
            await exchange.send(body[start : start + self.chunk])
        return True


def head(status: int, length: int, extra: Mapping[str, str] | None = None) -> bytes:
    headers: dict[str, Any] = {"Content-Type": "application/json", "Content-Length": length} | dict(extra or {})
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send_until(moment: Moment, exchange: Exchange, body: bytes) -> None:
    if moment is not Moment.BEFORE_ANSWER:
        await exchange.send(head(200, len(body)))
    if moment is Moment.IN_BODY:
        await exchange.send(body[: len(body) // 2])
