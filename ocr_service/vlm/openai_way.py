"""Asking any OpenAI-compatible server that runs PaddleOCR-VL: the official genai image, a plain vLLM, a gateway before them.

How many pixels of a crop the model sees is the server's to say (`--mm-processor-kwargs`), here as with `/v1/markdown`: vLLM refuses
requests with limits of their own, unless it was started with `--trust-request-mm-kwargs`.
"""

from __future__ import annotations

import msgspec

from ocr_service.domain.vlm import Crop, FinishReason, Sampling, VlmTask
from ocr_service.vlm.answers.loops import without_loop
from ocr_service.vlm.data_url import data_url
from ocr_service.vlm.prompts import prompt_for
from ocr_service.vlm.reply import NO_ANSWER, Get, Question, Reply, finish_reason
from ocr_service.vlm.trouble import Trouble

# What PaddleX's own pipeline asks for: without a limit a server generates until its context is full.
_MAX_TOKENS = 4096


class _Message(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int | None = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None
    model: str | None = None


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


class OpenAiWay:
    """A Dialect. `url` ends in `/v1`; `model` "": the first that the server lists, asked for once."""

    def __init__(self, url: str, model: str) -> None:
        self._url = url
        self._set_model = model
        self._model = model

    async def question(self, crop: Crop, task: VlmTask, sampling: Sampling, get: Get) -> Question:
        self._model = self._model or _first_model(await get(f"{self._url}/models"))
        content = [
            {"type": "image_url", "image_url": {"url": data_url(crop)}},
            {"type": "text", "text": prompt_for(task, self._model)},
        ]
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": "user", "content": content}],
            "temperature": sampling.temperature,
            "max_completion_tokens": sampling.max_tokens or _MAX_TOKENS,
            "skip_special_tokens": True,
        }
        if sampling.repetition_penalty is not None:
            body["repetition_penalty"] = sampling.repetition_penalty
        return Question(f"{self._url}/chat/completions", body)

    def reply(self, body: bytes) -> Reply:
        try:
            completion = msgspec.json.decode(body, type=_Completion)
            choice = completion.choices[0]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
            raise Trouble(NO_ANSWER, again=False) from None
        usage = completion.usage or _Usage()
        text, reason = choice.message.content or "", finish_reason(choice.finish_reason)
        kept = without_loop(text, was_cut=reason is FinishReason.LENGTH)
        if kept is not None:
            text, reason = kept, FinishReason.REPETITION
        return Reply(text, reason, usage.prompt_tokens, usage.completion_tokens or 0, completion.model or self._model)

    def forget(self) -> None:
        self._model = self._set_model


def _first_model(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Models).data[0].id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, IndexError):
        raise Trouble("the VLM server does not say which model it has; name one in the settings", again=False) from None
