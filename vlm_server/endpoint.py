"""The plugin: POST /v1/markdown in vLLM's own server process. Off unless named: VLLM_PLUGINS=ocr_markdown."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from vlm_server import engine, templates
from vlm_server.answering import Answer, watched
from vlm_server.images import prepare
from vlm_server.problems import Problem, engine_unavailable
from vlm_server.reading import Question, read_question

_log = logging.getLogger("vllm.ocr_markdown")


async def question_or_problem(request: Request) -> Question | Problem:
    """A dependency, so that the body is read before vLLM's watch for a client that leaves begins."""
    try:
        return await read_question(request)
    except Problem as problem:
        return problem


class MarkdownEndpoint:
    """`vllm.plugins.endpoint_plugins.interface.EndpointPlugin`."""

    name = "ocr_markdown"
    required_tasks = ("generate",)

    def attach_router(self, app: FastAPI) -> None:
        from vllm.entrypoints.serve.utils.api_utils import load_aware_call, with_cancellation

        router = APIRouter()

        @router.post("/v1/markdown", response_model=None)
        @with_cancellation  # type: ignore[untyped-decorator]
        @load_aware_call  # type: ignore[untyped-decorator]
        async def markdown(raw_request: Request, question: Annotated[Any, Depends(question_or_problem)]) -> Response:
            return await respond(raw_request, question)

        app.include_router(router)

    async def init_state(self, engine_client: Any, state: Any, args: Any) -> None:  # noqa: ARG002 - vLLM's protocol
        """Raises WrongTemplate, which ends the start: a model asked in another version's words quietly reads worse."""
        await asyncio.to_thread(templates.check, args)


async def respond(request: Request, question: Question | Problem) -> Response:
    """Always an answer: an exception that escaped would cost the client its connection."""
    try:
        if isinstance(question, Problem):
            return question.response()
        image = await asyncio.to_thread(prepare, question.image)
        answering = _answering(request, question, image)
        if not question.stream:
            async with aclosing(answering):
                return await _whole(request, question, answering)
        first = await anext(answering)  # a refusal still has its own status; later it could only be an event
        return StreamingResponse(_events(request, question, first, answering), media_type="text/event-stream")
    except Problem as problem:
        return problem.response()
    except Exception:  # noqa: BLE001 - logged, and answered
        _log.exception("POST /v1/markdown failed")
        return engine_unavailable().response()


async def _answering(request: Request, question: Question, image: bytes) -> AsyncGenerator[str | Answer, None]:
    async with aclosing(engine.generate(request, question, image)) as pieces, aclosing(watched(pieces, question.max_tokens)) as parts:
        async for part in parts:
            yield part


async def _whole(request: Request, question: Question, answering: AsyncGenerator[str | Answer, None]) -> Response:
    async for part in answering:
        if isinstance(part, Answer):
            return JSONResponse(part.body(question, engine.model_name(request.app.state)))
    raise engine_unavailable()


async def _events(
    request: Request, question: Question, first: str | Answer, answering: AsyncGenerator[str | Answer, None]
) -> AsyncGenerator[str, None]:
    """`{"delta": …}` events, then the same object as without streaming, then [DONE]; `event: error` when it breaks off."""
    async with aclosing(answering):
        try:
            yield _event(request, question, first)
            async for part in answering:
                yield _event(request, question, part)
            yield "data: [DONE]\n\n"
        except Problem as problem:
            yield f"event: error\ndata: {json.dumps(problem.body())}\n\n"


def _event(request: Request, question: Question, part: str | Answer) -> str:
    body = part.body(question, engine.model_name(request.app.state)) if isinstance(part, Answer) else {"delta": part}
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
