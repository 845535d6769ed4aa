"""The client of the VLM server: one question a region, with a limit, deadlines, retries, and a circuit breaker around it all."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from ocr_service.domain.errors import VlmFailed, VlmRefused, VlmUnavailable
from ocr_service.domain.vlm import Crop, Sampling, VlmAnswer, VlmTask
from ocr_service.vlm.answers.read import read_answer
from ocr_service.vlm.breaker import Breaker, BreakerState, Patience
from ocr_service.vlm.clock import Clock, WallClock
from ocr_service.vlm.config import ClientConfig
from ocr_service.vlm.identity import identity
from ocr_service.vlm.markdown_way import MarkdownWay
from ocr_service.vlm.openai_way import OpenAiWay
from ocr_service.vlm.places import Places
from ocr_service.vlm.probe_crop import PROBE_CROP
from ocr_service.vlm.reply import Dialect, Reply
from ocr_service.vlm.trouble import NotThere, Trouble
from ocr_service.vlm.watching import ClientObserver, ClientStats
from ocr_service.vlm.wire import Wire

_NOT_ASKED: Final = "not_asked"
_PROBE_SAMPLING = Sampling(max_tokens=8)
_IDENTITY_LASTS_S: Final = 30.0


def status_urls(url: str) -> tuple[str, str]:
    """(health page, list of models) of the server at VLLM_URL: beside `/v1`, and below it."""
    parts = urlsplit(url)
    prefix = parts.path.split("/v1", 1)[0].rstrip("/")
    health, models = (urlunsplit(parts._replace(path=prefix + path, query="")) for path in ("/health", "/v1/models"))
    return health, models


def dialect_for(url: str, model: str) -> Dialect:
    """The way to ask the server at VLLM_URL: `…/v1` and `…/v1/chat/completions` are OpenAI's, everything else is ours."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/").removesuffix("/chat/completions")
    if path.endswith("/v1"):
        return OpenAiWay(urlunsplit(parts._replace(path=path)), model)
    return MarkdownWay(url)


@dataclass(slots=True)
class _Record:
    """What the observer is told at the end."""

    outcome: str = "cancelled"
    prompt_tokens: int = 0
    completion_tokens: int = 0


class VlmClient:
    """A RegionReader. Belongs to one event loop; `aclose` lets go of its connections and its probe."""

    def __init__(
        self, config: ClientConfig, observer: ClientObserver, clock: Clock | None = None, rng: random.Random | None = None
    ) -> None:
        self._config = config
        self._observer = observer
        self._clock = clock or WallClock()
        self._rng = rng or random.Random()  # noqa: S311  jitter is no secret
        self._wire = Wire(config)
        self._dialect = dialect_for(config.url, config.model)
        self._places = Places(config.max_concurrency)
        self._identity = ""
        self._identity_until = -math.inf
        self._identifying = asyncio.Lock()
        patience = Patience(config.failures_to_open, config.first_pause_s, config.longest_pause_s)
        self._breaker = Breaker(patience, self._probe, self._clock, on_open=lambda: self._places.send_home(_not_asked))

    def stats(self) -> ClientStats:
        return ClientStats(self._breaker.state, self._places.taken, self._places.waiting)

    async def available(self) -> bool:
        """Whether the server is there, for health: it has answered lately, and says that it is well. The caller limits the time."""
        if self._breaker.state is not BreakerState.CLOSED:
            return False
        health, models = status_urls(self._config.url)
        try:
            try:
                await self._wire.get(health)
            except NotThere:
                # A gateway need not have a health page; what it serves it must be able to say.
                await self._wire.get(models)
        except (Trouble, VlmRefused):
            return False
        return True

    async def identity(self) -> str:
        """Which server and which models it has now, as one word; empty if it does not say. Asked for once in a while."""
        async with self._identifying:
            if self._clock.now() >= self._identity_until:
                self._identity = await self._identify()
                self._identity_until = self._clock.now() + _IDENTITY_LASTS_S
            return self._identity

    async def _identify(self) -> str:
        _, models = status_urls(self._config.url)
        try:
            async with asyncio.timeout(self._config.connect_timeout_s):
                return identity(await self._wire.get(models), (self._config.url, self._config.model))
        except (Trouble, VlmRefused, TimeoutError):
            return ""

    async def aclose(self) -> None:
        await self._breaker.aclose()
        await self._wire.aclose()

    async def read(self, crop: Crop, task: VlmTask, sampling: Sampling) -> VlmAnswer:
        """Ask about one region. Raises VlmUnavailable and VlmRefused. Cancelled, it closes its connection: the server stops generating."""
        with self._recorded(task) as record:
            reply = await self._ask_in_turn(crop, task, sampling)
            record.outcome = reply.finish_reason.value
            record.prompt_tokens, record.completion_tokens = reply.prompt_tokens, reply.completion_tokens
        return read_answer(task, reply)

    @contextmanager
    def _recorded(self, task: VlmTask) -> Iterator[_Record]:
        record, started = _Record(), self._clock.now()
        try:
            yield record
        except _NotAsked:
            record.outcome = _NOT_ASKED
            raise
        except VlmFailed as error:
            record.outcome = "refused" if isinstance(error, VlmRefused) else "unavailable"
            raise
        finally:
            seconds = self._clock.now() - started
            self._observer.vlm_asked(task, record.outcome, seconds, record.prompt_tokens, record.completion_tokens)

    async def _ask_in_turn(self, crop: Crop, task: VlmTask, sampling: Sampling) -> Reply:
        self._refuse_while_open()
        try:
            await self._places.take(self._config.place_timeout_s)
        except TimeoutError:
            raise VlmUnavailable("the VLM server had no time for this region") from None
        try:
            self._refuse_while_open()
            return await self._ask_with_retries(crop, task, sampling)
        finally:
            self._places.give_back()

    def _refuse_while_open(self) -> None:
        if self._breaker.state is not BreakerState.CLOSED:
            raise _not_asked()

    async def _ask_with_retries(self, crop: Crop, task: VlmTask, sampling: Sampling) -> Reply:
        era = self._breaker.era
        try:
            async with asyncio.timeout(self._config.answer_timeout_s):
                return await self._attempts(crop, task, sampling, era)
        except TimeoutError:
            self._breaker.failed(era)
            raise VlmUnavailable("the VLM server took too long") from None

    async def _attempts(self, crop: Crop, task: VlmTask, sampling: Sampling, era: int) -> Reply:
        attempt = 0
        while True:
            try:
                reply = await self._ask_once(crop, task, sampling)
            except VlmRefused:
                self._breaker.answered()
                raise
            except Trouble as trouble:
                pause_s = self._pause_before_next(attempt, trouble)
                if trouble.is_failure and (pause_s is None or trouble.retry_after_s is None):
                    # A server that names the time when to come back is busy, not dead: that counts only once, at the end.
                    self._breaker.failed(era)
                if pause_s is None or self._breaker.era != era:
                    raise VlmUnavailable(trouble.detail) from None
                attempt += 1
                self._observer.vlm_retried()
                await self._clock.sleep(pause_s)
                self._refuse_while_open()
            else:
                self._breaker.answered()
                return reply

    def _pause_before_next(self, attempt: int, trouble: Trouble) -> float | None:
        """Seconds until the next attempt; None if there is none. Its place is kept meanwhile: a busy server gets fewer questions."""
        longest = self._config.longest_backoff_s
        if not trouble.again or attempt >= self._config.retries or (trouble.retry_after_s or 0.0) > longest:
            return None
        backoff = min(longest, self._config.first_backoff_s * 2.0**attempt)
        # Jitter, so that questions that failed together do not come back together.
        return (trouble.retry_after_s or 0.0) + backoff * self._rng.uniform(0.5, 1.0)

    async def _ask_once(self, crop: Crop, task: VlmTask, sampling: Sampling) -> Reply:
        """Raises Trouble and VlmRefused."""
        try:
            question = await self._dialect.question(crop, task, sampling, self._wire.get)
            return self._dialect.reply(await self._wire.post(question.url, question.body))
        except Trouble as trouble:
            if not trouble.again:
                self._dialect.forget()
            raise

    async def _probe(self) -> bool:
        """One tiny question: whether the server still generates, not only whether it listens."""
        try:
            async with asyncio.timeout(self._config.first_byte_timeout_s):
                await self._ask_once(PROBE_CROP, VlmTask.OCR, _PROBE_SAMPLING)
        except VlmRefused:
            return True
        except (Trouble, TimeoutError):
            return False
        return True


class _NotAsked(VlmUnavailable):
    """The server was not asked at all."""


def _not_asked() -> _NotAsked:
    return _NotAsked("the VLM server did not answer lately; it is tried again in the background")
