"""The two clients under one set of calls, so that a test can be run with both."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from typing_extensions import override

from ocr_service.client import AsyncClient, Client, Page, Patience

List: TypeAlias = list[Any]
Pages: TypeAlias = list[Page]

QUICK = Patience(busy_s=5, connects=2, away_s=0)
"""Nothing that broke off is asked for again."""
LASTING = Patience(busy_s=5, connects=2, away_s=30)


class Sync:
    """The plain client."""

    def __init__(self, url: str, **arguments: Any) -> None:
        self._url, self._arguments = url, {"patience": QUICK, **arguments}

    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        with Client(self._url, **self._arguments) as client:
            return getattr(client, method)(*arguments, **named)

    def list(self, method: str, *arguments: Any, then: Callable[[Any], None] = lambda _: None, **named: Any) -> List:
        """What a method gives one by one; `then` is called with each."""
        with Client(self._url, **self._arguments) as client:
            found = []
            for value in getattr(client, method)(*arguments, **named):
                found.append(value)
                then(value)
            return found

    def pages(self, *arguments: Any, then: Callable[[], None] = lambda: None) -> Pages:
        with Client(self._url, **self._arguments) as client, client.read(*arguments) as reading:
            found = []
            for page in reading:
                found.append(page)
                then()
            reading.summary  # noqa: B018  raises if the stream did not end well
            return found


class Async(Sync):
    """The other one, in a loop of its own."""

    @override
    def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        async def call() -> Any:
            async with AsyncClient(self._url, **self._arguments) as client:
                answer: Awaitable[Any] = getattr(client, method)(*arguments, **named)
                return await answer

        return asyncio.run(call())

    @override
    def list(self, method: str, *arguments: Any, then: Callable[[Any], None] = lambda _: None, **named: Any) -> List:
        async def collect() -> List:
            async with AsyncClient(self._url, **self._arguments) as client:
                found = []
                async for value in getattr(client, method)(*arguments, **named):
                    found.append(value)
                    then(value)
                return found

        return asyncio.run(collect())

    @override
    def pages(self, *arguments: Any, then: Callable[[], None] = lambda: None) -> Pages:
        async def read() -> Pages:
            async with AsyncClient(self._url, **self._arguments) as client, client.read(*arguments) as reading:
                found = []
                async for page in reading:
                    found.append(page)
                    then()
                reading.summary  # noqa: B018  raises if the stream did not end well
                return found

        return asyncio.run(read())


BOTH = pytest.mark.parametrize("kind", [Sync, Async])
