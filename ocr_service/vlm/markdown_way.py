"""Asking our own `POST /v1/markdown`: it knows prompts, limits and its model itself."""

from __future__ import annotations

import msgspec

from ocr_service.domain.vlm import Crop, FinishReason, Sampling, VlmTask
from ocr_service.vlm.data_url import data_url
from ocr_service.vlm.reply import NO_ANSWER, Get, Question, Reply, finish_reason
from ocr_service.vlm.trouble import Trouble


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Answer(msgspec.Struct):
    markdown: str
    finish_reason: str
    model: str = ""
    usage: _Usage | None = None
    raw: str | None = None


class MarkdownWay:
    """A Dialect."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def question(self, crop: Crop, task: VlmTask, sampling: Sampling, get: Get) -> Question:  # noqa: ARG002  nothing to look up
        body: dict[str, object] = {"image": data_url(crop), "task": task.value, "temperature": sampling.temperature}
        if sampling.max_tokens is not None:
            body["max_tokens"] = sampling.max_tokens
        if sampling.repetition_penalty is not None:
            body["repetition_penalty"] = sampling.repetition_penalty
        return Question(self._url, body)

    def reply(self, body: bytes) -> Reply:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Trouble(NO_ANSWER, again=False) from None
        usage = answer.usage or _Usage()
        reason = finish_reason(answer.finish_reason)
        # `raw` is the model's own words, where the server gives them: read here as from any other server. Of a loop, only the part
        # before it is worth reading.
        reads_markdown = answer.raw is None or reason is FinishReason.REPETITION
        text = answer.markdown if reads_markdown else answer.raw or ""
        return Reply(text, reason, usage.prompt_tokens, usage.completion_tokens, answer.model)

    def forget(self) -> None:
        """Nothing was learnt."""
