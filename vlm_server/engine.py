"""The way to the model: vLLM's own chat handler in the same process, always streaming. The only file that knows vLLM's names."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from fastapi import Request

from vlm_server.problems import Problem, engine_unavailable, invalid, overloaded
from vlm_server.prompts import prompt_for
from vlm_server.reading import Question
from vlm_server.templates import version_of


@dataclass(frozen=True, slots=True)
class Piece:
    """What the model has just written. `finish_reason` is set on the last one with text; token counts are totals so far."""

    text: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int


def model_name(state: Any) -> str:
    return str(state.openai_serving_models.base_model_paths[0].name)


def _chat_request(question: Question, image: bytes, model: str, context: int) -> Any:
    from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest

    kind = "jpeg" if image.startswith(b"\xff\xd8") else "png"
    url = f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
    prompt = prompt_for(version_of(model), question.task)
    fields: dict[str, Any] = {
        "model": model, "temperature": question.temperature, "stream": True,
        "stream_options": {"include_usage": True, "continuous_usage_stats": True},
        "messages": [{"role": "user", "content": [
            {"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": prompt},
        ]}],
    }  # fmt: skip
    if question.max_tokens < context // 2:  # else vLLM gives what the context has room for, and refuses more than that
        fields["max_tokens"] = question.max_tokens
    if question.repetition_penalty is not None:
        fields["repetition_penalty"] = question.repetition_penalty
    return ChatCompletionRequest.model_validate(fields)


async def generate(request: Request, question: Question, image: bytes) -> AsyncGenerator[Piece, None]:
    """The model's answer as it is written. Raises Problem. Closing the iterator, or cancelling its task, ends the generation."""
    from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

    state = request.app.state
    chat = state.openai_serving_chat
    try:
        asked = _chat_request(question, image, model_name(state), chat.model_config.max_model_len)
        async with aclosing(await _events(chat, asked, request)) as events:
            async for event in events:
                data = str(event).removeprefix("data: ").strip()
                if data and data != "[DONE]":
                    yield _piece(json.loads(data))
    except Problem:
        raise
    except (EngineDeadError, EngineGenerateError):
        raise engine_unavailable() from None
    except Exception as error:
        refusal = chat.create_error_response(error).error.model_dump()
        if refusal["code"] == HTTPStatus.INTERNAL_SERVER_ERROR:
            raise  # no refusal: something is broken
        raise _problem(refusal) from None


async def _events(chat: Any, asked: Any, request: Request) -> AsyncGenerator[str, None]:
    result = await chat.create_chat_completion(asked, request)
    if not hasattr(result, "__aiter__"):
        raise _problem(result.error.model_dump())
    return cast("AsyncGenerator[str, None]", result)


def _piece(chunk: dict[str, Any]) -> Piece:
    if "error" in chunk:
        raise _problem(chunk["error"])
    usage = chunk.get("usage") or {}
    choice = (chunk.get("choices") or [{}])[0]
    text = (choice.get("delta") or {}).get("content") or ""
    return Piece(text, choice.get("finish_reason"), usage.get("prompt_tokens", 0), usage.get("completion_tokens", 0))


def _problem(error: dict[str, Any]) -> Problem:
    """vLLM's error. A full queue is a 503, and so is a generation that failed; only the first one's type is the status's own phrase."""
    status = int(error.get("code", 500))
    if status == HTTPStatus.TOO_MANY_REQUESTS or error.get("type") == HTTPStatus.SERVICE_UNAVAILABLE.phrase:
        return overloaded()
    if 400 <= status < 500:
        return invalid(str(error.get("message", "")))
    return engine_unavailable()
